"""What answers that are proven by originals cost: rows that are read, and time."""
