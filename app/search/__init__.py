"""Finding sessions and messages by their text: an index kept by triggers, ranked reads of it."""
