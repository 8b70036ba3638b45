"""Texts of CSV files that a spreadsheet would take for formulas."""

import re

# What spreadsheets take for a formula, wide forms included, unless it is a plain name: one in 64
# videos of VoxCeleb begins with a minus.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_PLAIN = re.compile(r"-[\w./-]*")


def guarded(text: str) -> str:
    """Return a text as a CSV file has it: with an apostrophe before what is a formula.

    Spreadsheets take it for text then. `unguarded` gives back what it was.
    """
    return f"'{text}" if _is_formula(text) else text


def unguarded(text: str) -> str:
    """Return the text that `guarded` was given."""
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def _is_formula(text: str) -> bool:
    inside = text.lstrip("'")
    return bool(_FORMULA.match(inside)) and not _PLAIN.fullmatch(inside)
