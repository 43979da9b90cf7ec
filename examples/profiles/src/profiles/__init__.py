"""User profiles: one module per operation, each with its own `handler`."""
