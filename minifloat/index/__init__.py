"""Vectors by name that are added, removed and searched, in memory or in a folder."""

from minifloat.index.catalog.errors import DamagedError
from minifloat.index.index import Index
from minifloat.index.reader import Rows
from minifloat.index.reading.filters import Filter
from minifloat.index.reading.finding import Found
from minifloat.index.reading.stats import Stats
from minifloat.index.writing.holding import InUseError

__all__ = ["DamagedError", "Filter", "Found", "InUseError", "Index", "Rows", "Stats"]
