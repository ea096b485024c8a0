"""The way to PostgreSQL: tables, compiled statements, scopes, retries, and the embedded server."""
