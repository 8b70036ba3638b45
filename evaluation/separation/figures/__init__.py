"""The figures of the separation study, one in each file."""
