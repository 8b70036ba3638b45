"""What is kept of rows, in memory and in files, and what is seen of it at one moment."""
