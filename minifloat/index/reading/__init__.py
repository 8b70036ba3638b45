"""What an index is asked: conditions, searches, what it holds, and whether it is sound."""
