"""Libraries of prompts: read from files, compared with what there is, and taken over."""
