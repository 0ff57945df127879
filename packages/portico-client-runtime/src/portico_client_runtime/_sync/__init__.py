# Written by unasync.py from _async/__init__.py; do not edit.

"""The shell of a client: it does what conversations ask for."""
