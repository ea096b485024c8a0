"""Processes that work runs, and the scripted server that they may ask."""

from tests.runs.conftest import asking, libraries, process, server

__all__ = ["asking", "libraries", "process", "server"]
