"""Searches of all ranks' rows, each by its own rank, and their answers made one."""
