"""Turns of a conversation: validated, understood, counted, and appended in one statement."""
