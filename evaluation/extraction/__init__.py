"""From recordings to embeddings: find them, read them, run a model, keep what is done."""
