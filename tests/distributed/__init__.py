"""One answer from many ranks."""
