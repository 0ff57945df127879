"""Measures the hot paths against what they are built on, and against upstream."""
