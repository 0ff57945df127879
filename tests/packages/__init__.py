"""The packages as they are published, each in an environment of its own."""
