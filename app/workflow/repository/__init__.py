"""Every statement that writes the workflow's tables, and those that are asked behind the lock of a project's row."""
