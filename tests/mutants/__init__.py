"""Whether the tests notice when the code is made wrong in one place."""
