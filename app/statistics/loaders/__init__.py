"""Reads of statistics, one statement each."""
