"""The bit-depth study: what storing embeddings in fewer bits does to speaker verification."""
