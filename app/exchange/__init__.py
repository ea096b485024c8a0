"""Conversations from elsewhere: read from a file, checked whole, and stored through the rooms they belong to."""
