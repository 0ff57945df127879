"""The client that is published, against servers."""
