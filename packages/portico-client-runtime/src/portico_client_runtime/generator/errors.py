"""Why no client can be generated."""


class GeneratorError(Exception):
    """The description, or the folder to write to, is not fit for a client; the message says what to change."""
