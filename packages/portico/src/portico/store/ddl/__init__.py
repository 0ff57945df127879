"""Schemas of SQL databases: what a table needs, how that is said, what is there, and what to do about it."""
