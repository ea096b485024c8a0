"""Providers on the network, through pydantic-ai: only `hosted` may be imported before a request needs one."""
