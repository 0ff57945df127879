"""What `portico generate` writes, reviewed like code. `python -m cli.golden` in tests/ writes it again."""
