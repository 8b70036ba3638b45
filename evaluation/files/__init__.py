"""Files of whatever kind: read within limits, written whole or not at all, safe to open."""
