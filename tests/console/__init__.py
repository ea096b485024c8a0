"""The built console in a real browser, against the real server."""
