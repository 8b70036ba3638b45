"""The separation study: which embedding model keeps speakers apart, and whether fewer bits do."""
