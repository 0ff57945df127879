"""`python -m portico.cli` is `portico`."""

from portico.cli.main import main

main()
