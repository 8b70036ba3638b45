"""Other packages, a file for each: its `RIVALS` are the ways in which it takes part.

Each is checked before it is timed. A package is imported when it starts.
"""

from importlib import import_module
from typing import Any

from benchmarks.harness.rival import Rival

PACKAGES = ("torch", "numkong", "ml_dtypes", "faiss", "turbovec", "usearch", "svs", "flashlib")

RIVALS: tuple[Rival[Any], ...] = tuple(
    rival for package in PACKAGES for rival in import_module(f"{__name__}.{package}").RIVALS
)
