"""The files of a run: what it ran on, what each step found and what failed, and all that was said.

The report is whole at any time, and what a former one has need not be done again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

NAME = "report.json"
LOG = "log.txt"

# It is written no more often, but where something fails or a step ends.
_SECONDS = 1.0


class Report:
    """A JSON file of steps: of each its items by name, with the records that workers told of."""

    def __init__(self, folder: Path, about: Mapping[str, Any], former: Path | None = None) -> None:
        self.steps: dict[str, Any] = {}
        resumed = [] if former is None else self._take_over(json.loads(former.read_text()))
        self._content: dict[str, Any] = {"complete": False, **about, "resumed": resumed}
        self._content["steps"] = self.steps
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / NAME
        self._written = float("-inf")
        self.write()

    @property
    def failures(self) -> int:
        """How many items have failed, and how many steps ended early."""
        return sum(
            sum(bool(record["failures"]) for record in step["items"].values())
            + (step["ended"] is not None)
            for step in self.steps.values()
        )

    def done(self, step: str) -> frozenset[str]:
        """Return a step's items that are in the report and have not failed."""
        return frozenset(self._step(step)["items"])

    def hear(self, step: str, event: Mapping[str, Any]) -> None:
        """Put in an event of a step's worker."""
        content = self._step(step)
        if "facts" in event:
            content["facts"] = event["facts"]
        if "plan" in event:
            content["planned"] = [*content.get("planned", ()), *event["plan"]]
        if "end" in event:
            record = {"failures": {}, **event["record"]}
            content["items"][event["end"]] = record
            self.write(at_once=bool(record["failures"]))

    def end(self, step: str, seconds: float, why: str | None) -> None:
        """Put in a step's time, and why it ended early if it did; what it left out is told."""
        content = self._step(step)
        # Of several workers, and again of each that took the place of another.
        planned = dict.fromkeys(content.pop("planned", ()))
        content["left_out"] = [item for item in planned if item not in content["items"]]
        content["seconds"] = round(content["seconds"] + seconds, 1)
        content["ended"] = why or (None if content["items"] else "there is nothing to do in it")
        self.write()

    def complete(self) -> None:
        """Say that nothing is missing."""
        self._content["complete"] = True
        self.write()

    def write(self, *, at_once: bool = True) -> None:
        """Put the report in the place of the one before."""
        if not at_once and monotonic() - self._written < _SECONDS:
            return
        beside = self._path.with_name(f"{self._path.name}.part")
        beside.write_text(json.dumps(self._content, indent=1) + "\n")
        os.replace(beside, self._path)
        self._written = monotonic()

    def _step(self, name: str) -> dict[str, Any]:
        empty: dict[str, Any] = {"seconds": 0.0, "ended": None, "items": {}, "left_out": []}
        found: dict[str, Any] = self.steps.setdefault(name, empty)
        return found

    def _take_over(self, former: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Keep what a former report found, less what failed; return which runs it is of."""
        for name, step in former["steps"].items():
            kept = {item: found for item, found in step["items"].items() if not found["failures"]}
            self._step(name).update(step, items=kept, ended=None)
        told = ("command", "started", "commit")
        return [*former.get("resumed", ()), {name: former.get(name) for name in told}]
