"""Searches whose answers are those of originals: what is bounded and read, and that it holds."""
