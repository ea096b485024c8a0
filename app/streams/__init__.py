"""Following what grows: who waits for which stream in this process, and what other processes tell of them."""
