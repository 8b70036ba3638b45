"""Embeddings, and the files of each kind that they lie in: rows, and who speaks in each."""
