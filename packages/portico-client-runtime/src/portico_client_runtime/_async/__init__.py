"""The shell of a client: it does what conversations ask for."""
