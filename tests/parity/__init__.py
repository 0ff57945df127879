"""Compares Portico with better-auth itself, request by request and row by row."""
