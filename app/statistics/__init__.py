"""What the conversations add up to: of a session, of a user, of what was stored, and over time."""
