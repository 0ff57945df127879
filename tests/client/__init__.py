"""The published client, the runtime of clients, and their generator."""
