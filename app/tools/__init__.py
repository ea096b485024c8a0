"""What models asked for: tool calls of a message."""
