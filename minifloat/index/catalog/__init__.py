"""The catalog of an index, in SQLite: ids, columns, versions, and where rows are."""
