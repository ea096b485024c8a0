"""Executions of prompts: a prompt's trip through three stages, prepare, execute and persist, and what it came from."""
