"""Scores of rows, and searches for the best of them."""

from minifloat.scoring.best import search
from minifloat.scoring.cosines import scores
from minifloat.scoring.reaching import pairs_above, range_search

__all__ = ["pairs_above", "range_search", "scores", "search"]
