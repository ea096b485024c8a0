"""Files that hang on messages."""
