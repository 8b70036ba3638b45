"""Keeps of a report what belongs under benchmarks/results.

`python -m benchmarks.gpu.results FILE` leaves paths of the machine out, counts tests that passed,
and keeps the last line of failures. It tells which bars are met, and what to do with the ways.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gpu import bars, verdicts

FOLDER = Path("benchmarks/results")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the device's file and print its name, the bars and the ways; return 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("report", type=Path, metavar="FILE", help="report.json of a run")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR")
    options = parser.parse_args(arguments)
    report = json.loads(options.report.read_text())
    kept = kept_of(report)
    path: Path = options.out / f"{name_of(kept['device']['name'])}.json"
    path.write_text(json.dumps(kept, indent=1) + "\n")
    print(path)
    for line in (*bars.told(report["steps"]), *verdicts.told(report["steps"])):
        print(line)
    return 0


def kept_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report with what all steps were done on said once."""
    steps: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for name, step in report["steps"].items():
        facts |= step.get("facts", {})
        steps[name] = {key: value for key, value in step.items() if key != "facts"}
        steps[name]["items"] = _items(step["items"])
        # Names of items that passed would be thousands.
        bare = [i for i, record in steps[name]["items"].items() if not record.keys() - {"seconds"}]
        if len(bare) > 1:
            steps[name]["passed"] = len(bare)
            for item in bare:
                del steps[name]["items"][item]
    rest = {key: value for key, value in report.items() if key != "steps"}
    for run in [rest, *rest["resumed"]]:
        run["command"] = re.sub(r" --(out|resume)[ =]\S+", "", run["command"])
    return {**rest, **facts, "steps": steps}


def name_of(device: str) -> str:
    """Return a device's name as the name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")


def _items(items: Mapping[str, Any]) -> dict[str, Any]:
    """Return records without what is empty, and with the last line of each failure."""
    kept = {}
    for item, record in items.items():
        record = {key: value for key, value in record.items() if value not in ({}, None)}
        if "failures" in record:
            record["failures"] = {
                name: why.strip().splitlines()[-1] for name, why in record["failures"].items()
            }
        kept[item] = record
    return kept


if __name__ == "__main__":
    sys.exit(main())
