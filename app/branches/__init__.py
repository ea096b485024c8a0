"""The tree of messages: beside whom one stands, the path that is shown, moving to another, and forks."""
