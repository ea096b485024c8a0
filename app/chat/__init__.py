"""A conversation in the terminal with a server that runs: a client of its API, and of nothing else of it."""
