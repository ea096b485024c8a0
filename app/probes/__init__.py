"""What those who watch over a process ask it: health and metrics, on its own port or beside the graph."""
