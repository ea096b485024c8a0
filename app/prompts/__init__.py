"""Prompts: a library of templates whose every version stays, and which of them is meant by a label or a project."""
