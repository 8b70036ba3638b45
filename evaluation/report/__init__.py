"""The page that a study leaves: one HTML file with tables, figures and how they were made."""

from evaluation.report.figure import Figure
from evaluation.report.page import Block, Fold, Making, Points, Section, render
from evaluation.report.table import Cell, Column, Table, Tone

__all__ = [
    "Block",
    "Cell",
    "Column",
    "Figure",
    "Fold",
    "Making",
    "Points",
    "Section",
    "Table",
    "Tone",
    "render",
]
