"""Embeddings as they are stored: the ways to do it, what each does to values, and their cosines."""
