"""Numbers of stored embeddings, and what they are in each draw of speakers."""
