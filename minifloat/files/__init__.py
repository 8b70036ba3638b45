"""Files of packed vectors, and what keeps a file whole and tells that it is."""
