"""How many instructions the kernels take: a measure of speed without noise.

`python -m benchmarks.instructions` counts and records, with `--check` it compares instead. Valgrind
knows no AVX-512, so the instruction sets are AVX2 and scalar. Counts are those of one compiler.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.instructions.counted import MARK
from benchmarks.instructions.extension import load
from evaluation.command.help import HelpFormatter

RECORD = Path(__file__).with_name("record.json")
_TOLD = f"benchmarks/instructions/{RECORD.name}"
# Counts are exact, so this only spares a new record to changes that mean nothing.
MOST_GROWTH = 0.05

# Instructions of a value or product, by instruction set, operation and format.
Counts = dict[str, dict[str, dict[str, float]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, or 1 where a check finds a count that has grown."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.instructions",
        description="Count the instructions of each value or product, under callgrind, and record "
        f"them in {_TOLD}.",
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare with the record instead, and exit with 1 if a count has grown by more than "
        f"{MOST_GROWTH:.0%} or has no record",
    )
    options = parser.parse_args(arguments)
    if shutil.which("valgrind") is None:
        parser.error("valgrind is not installed; apt-get install valgrind")
    if options.check and not RECORD.exists():
        parser.error(f"{_TOLD} does not exist; run without --check to make it")
    counts, compiler = count(), built_by()
    if not options.check:
        RECORD.write_text(json.dumps({"compiler": compiler, "counts": counts}, indent=2) + "\n")
        print(f"recorded {sum(1 for _ in _flat(counts))} counts in {_TOLD}")
        return 0
    record = json.loads(RECORD.read_text())
    if record["compiler"] != compiler:
        print(f"recorded with {record['compiler']}, built with {compiler}: counts may differ")
    grown = growth(record["counts"], counts)
    print("\n".join(grown) or f"no count has grown by more than {MOST_GROWTH:.0%}")
    return 1 if grown else 0


def count() -> Counts:
    """Return the counts of the extension of this checkout, to three digits."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        tool = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}"]
        dump = [f"--dump-before={MARK}", "--combine-dumps=yes"]
        program = [sys.executable, "-m", "benchmarks.instructions.counted"]
        run = subprocess.run([*tool, *dump, *program], check=True, stdout=subprocess.PIPE)
        totals = [int(total) for total in re.findall(r"^totals: (\d+)", out.read_text(), re.M)]
    counts: Counts = {}
    # Before each call comes what leads up to it, and after the last one the end of the program.
    for line, total in zip(run.stdout.splitlines(), totals[1:-1:2], strict=True):
        call = json.loads(line)
        ops = counts.setdefault(call["isa"], {})
        ops.setdefault(call["op"], {})[call["format"]] = float(f"{total / call['amount']:.3g}")
    return counts


def built_by() -> str:
    """Return the compiler that has built the extension, as it says itself in it."""
    match = re.search(rb"(GCC: |clang version )[^\0]+", Path(load().__file__).read_bytes())
    return match[0].decode() if match else "an unknown compiler"


def growth(recorded: Counts, counts: Counts) -> list[str]:
    """Return a table of the counts that have grown, or have no record; no lines without them."""
    before = dict(_flat(recorded))
    lines = []
    for case, now in _flat(counts):
        then = before.get(case)
        if then is None or now > then * (1 + MOST_GROWTH):
            change = "" if then is None else f"{now / then - 1:+.1%}"
            lines.append((*case, "none" if then is None else f"{then:g}", f"{now:g}", change))
    return _aligned([("isa", "op", "format", "recorded", "now", "change"), *lines]) if lines else []


def _flat(counts: Counts) -> Iterator[tuple[tuple[str, str, str], float]]:
    """Yield the counts one by one, each with its instruction set, operation and format."""
    for isa, ops in counts.items():
        for op, formats in ops.items():
            for format, value in formats.items():
                yield (isa, op, format), value


def _aligned(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


if __name__ == "__main__":
    sys.exit(main())
