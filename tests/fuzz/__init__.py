"""Schemathesis against a live server; no test module, because it is a test runner itself."""
