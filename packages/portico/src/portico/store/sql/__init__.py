"""Rows in an SQL database: statements compiled once per shape, run by an executor."""
