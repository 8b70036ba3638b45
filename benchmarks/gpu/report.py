"""The one file of a run: what it ran on, what it found and what failed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from benchmarks.gpu.cases import Case, Outcome


class Report:
    """A JSON file that is whole after each thing that is put into it."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self._path = path
        self._content: dict[str, Any] = {"complete": False, **about, "suite": None}
        self._content |= {"sanitizers": [], "cases": []}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write()

    @property
    def failures(self) -> int:
        """How many things have failed."""
        suite = self._content["suite"]
        failed = sum(len(case["failures"]) for case in self._content["cases"])
        failed += sum(found["failure"] is not None for found in self._content["sanitizers"])
        return failed + (suite is not None and suite["failure"] is not None)

    def put_suite(self, suite: dict[str, Any]) -> None:
        """Put in the suite's result."""
        self._content["suite"] = suite
        self._write()

    def put_sanitizers(self, found: list[dict[str, Any]]) -> None:
        """Put in what sanitizers found."""
        self._content["sanitizers"] = found
        self._write()

    def put_case(self, case: Case, outcome: Outcome, seconds: float) -> None:
        """Put in a case's outcome, and the seconds that it took in all."""
        self._content["cases"].append(
            {
                "op": case.op,
                **case.inputs,
                "seconds": seconds,
                **outcome.found,
                "failures": outcome.failures,
                "left_out": outcome.left_out,
            }
        )
        self._write()

    def complete(self) -> None:
        """Say that nothing is missing."""
        self._content["complete"] = True
        self._write()

    def _write(self) -> None:
        beside = self._path.with_name(f"{self._path.name}.part")
        beside.write_text(json.dumps(self._content, indent=1) + "\n")
        os.replace(beside, self._path)


def file_name(device: str) -> str:
    """Return the name of a device's file."""
    return re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-") + ".json"
