"""The generator of clients."""
