"""Client keys: what was asked once is done once, however often it is sent."""
