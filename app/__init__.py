"""Colloquy: conversations of people and language models, kept in PostgreSQL and served through GraphQL."""
