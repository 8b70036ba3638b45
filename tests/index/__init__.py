"""Indexes: rows by id, with columns."""
