"""Rows of a database, of which each rank opens its own."""
