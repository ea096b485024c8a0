"""What a plan does not expect."""


class Surprise(Exception):
    """A value that a plan does not know how to complete: graphql-core completes it, or says what is wrong with it."""
