"""Indexes that ranks build: each encodes some files' rows, and one names all."""
