"""Erasing a user: every row that is theirs, in every table, and their name wherever it is left."""
