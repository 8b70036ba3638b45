"""Searches whose answers are those of the float rows that packed ones were made of."""

from minifloat.scoring.exact.best import Read, search
from minifloat.scoring.exact.originals import Renumbered
from minifloat.scoring.exact.reaching import range_search
from minifloat.scoring.exact.reading import float_queries

__all__ = ["Read", "Renumbered", "float_queries", "range_search", "search"]
