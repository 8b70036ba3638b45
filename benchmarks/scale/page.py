"""The page's figures, which are those of the record."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from benchmarks.scale import check, figures, lists, measure, planned, records
from benchmarks.scale.asking import asked_of
from benchmarks.scale.options import parsed

PAGE = Path(__file__).parents[2] / "docs" / "performance" / "scale.md"
# What the page says the plan is printed by.
_PLAN = re.compile(r"^    scripts/scale (plan .*)$", re.MULTILINE)
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n)(?:(?!<!-- ).*\n)*(<!-- end -->)")


def rewrite() -> None:
    """Put the record's figures into the page."""
    PAGE.write_text(filled(PAGE.read_text(), records.read()))


def filled(text: str, record: dict[str, Any]) -> str:
    """Return the page's text with all figures; ValueError for a block that nothing fills."""
    known = figures.of(record["measure"], "the record")
    parts = {
        "measure": lambda: measure.printed(record["measure"]),
        "plan": lambda: _planned(text, known),
        "check": lambda: check.printed(record["check"], known),
        "lists": lambda: lists.printed(record["lists"]),
    }

    def filling(block: re.Match[str]) -> str:
        if block[2] not in parts:
            raise ValueError(f"figures must be of {', '.join(parts)}; got {block[2]!r}")
        return f"{block[1]}{parts[block[2]]()}\n{block[3]}"

    return _BLOCK.sub(filling, text)


def _planned(text: str, known: figures.Figures) -> str:
    """Return the plan that the page's first command of it prints."""
    command = _PLAN.search(text)
    if command is None:
        raise ValueError("the page must have an indented command that begins scripts/scale plan")
    asked = asked_of(parsed(shlex.split(command[1], comments=True)))
    return planned.printed(asked._replace(figures=known))
