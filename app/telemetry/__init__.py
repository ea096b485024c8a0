"""What is told of the process's work: meters, one line for each operation, spans. It knows no domain."""
