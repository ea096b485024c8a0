"""What `make bench-peers` runs: the same questions to servers of other makes."""
