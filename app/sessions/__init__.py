"""Conversations: their head row with its counters, and their metadata."""
