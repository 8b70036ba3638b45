"""Vectors by name that are added, removed and searched, in memory or in a folder."""

from minifloat.index.catalog import DamagedError
from minifloat.index.filters import Filter
from minifloat.index.finding import Found
from minifloat.index.holding import InUseError
from minifloat.index.index import Index
from minifloat.index.reader import Rows
from minifloat.index.stats import Stats

__all__ = ["DamagedError", "Filter", "Found", "InUseError", "Index", "Rows", "Stats"]
