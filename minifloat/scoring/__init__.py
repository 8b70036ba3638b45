"""Scores of rows, and searches for the best of them."""

from minifloat.scoring.best import search
from minifloat.scoring.cosines import scores

__all__ = ["scores", "search"]
