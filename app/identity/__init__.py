"""Who is asking: from the headers of a request to an actor."""
