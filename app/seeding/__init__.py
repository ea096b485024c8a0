"""Believable conversations for demonstrations and benchmarks: the same ones for the same seed."""
