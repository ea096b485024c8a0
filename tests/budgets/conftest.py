"""A process that works runs, and models that answer by script."""

from tests.runs.conftest import asking, libraries, process, runs, server, session_id, turns

__all__ = ["asking", "libraries", "process", "runs", "server", "session_id", "turns"]
