"""The one writer of an index: changes, commits, and rows that move or are erased."""
