"""From recordings to embeddings: run a model on each, and keep what is done."""
