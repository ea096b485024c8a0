"""Tools that models may use: what the server offers of its own, and what the parameters of any tool may be."""
