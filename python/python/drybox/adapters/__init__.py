"""Reference adapters, to run and to read."""
