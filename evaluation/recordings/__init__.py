"""Recordings: where they lie, who speaks in them, and their samples."""
