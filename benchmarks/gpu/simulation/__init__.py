"""Searches replayed on random rows, without a GPU."""
