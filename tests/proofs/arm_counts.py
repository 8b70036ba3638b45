"""Instructions of each value or product on 64-bit Arm: scripts/count --arm

The calls are those that valgrind counts, in an emulator that counts (qemu-user, of which Debian's
static build knows no plugins). Recorded in benchmarks/instructions/arm.json, and printed as the
table of docs/performance/cpu.md, beside the counts of x86-64.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.instructions.__main__ import RECORD, Counts
from tests.proofs import arm_suite
from tests.support.paths import ROOT

FOLDER = ROOT / "benchmarks" / "instructions"
ARM_RECORD = FOLDER / "arm.json"
ROWS = {
    "encode": "encode",
    "decode": "decode",
    "encode_pack": "encode and pack",
    "unpack": "unpack",
    "search from codes, queries 1": "search by 1 packed query",
    "search from float32, queries 1": "search by 1 float query",
    "search from codes, queries 64": "search by 64 packed queries",
    "search from float32, queries 64": "search by 64 float queries",
}


def plugin() -> Path:
    """Return the plugin that counts, compiled."""
    made = arm_suite.FOLDER / "count.so"
    source = str(FOLDER / "count.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", source, "-o", str(made)], check=True)
    return made


def count(emulator: str) -> Counts:
    """Return the counts of all sets, to three digits."""
    there = arm_suite.environment()
    program = there.interpreter(f"{emulator} -plugin {plugin()}")
    run = subprocess.run(
        [str(program), "-m", "benchmarks.instructions.counted"],
        env=there.variables,
        capture_output=True,
        text=True,
        check=True,
    )
    totals = [int(total) for total in re.findall(r"^totals: (\d+)", run.stderr, re.M)]
    counts: Counts = {}
    lines = run.stdout.splitlines()
    for line, before, after in zip(lines, totals[::2], totals[1::2], strict=True):
        call = json.loads(line)
        ops = counts.setdefault(call["isa"], {})
        of_format = ops.setdefault(call["op"], {})
        of_format[call["format"]] = float(f"{(after - before) / call['amount']:.3g}")
    return counts


def table(arm: Counts, x86: Counts) -> Iterator[str]:
    """Yield the lines of a table, by operation and set."""
    formats = [name.upper() for name in next(iter(arm["neon"].values()))]
    yield f"| | | {' | '.join(formats)} |"
    yield "|---" * (len(formats) + 2) + "|"
    every = {"NEON, dot products": arm["neon_dot"], "NEON": arm["neon"], "AVX2": x86["avx2"]}
    for op, title in ROWS.items():
        # All else is the same code with dot products and without.
        names = [name for name in every if op.startswith("search") or "dot" not in name]
        for name in names:
            cells = " | ".join(f"{value:.3g}" for value in every[name][op].values())
            yield f"| {title if name == names[0] else '-'} | {name} | {cells} |"


def main() -> int:
    """Count, record and print."""
    options = argparse.ArgumentParser(prog="scripts/count --arm", description="count on 64-bit Arm")
    options.parse_args()
    emulator = shutil.which("qemu-aarch64")
    if not emulator:
        sys.exit("error: qemu-aarch64 not found; apt-get install qemu-user")
    counts = count(emulator)
    ARM_RECORD.write_text(json.dumps(counts, indent=2) + "\n")
    print("\n".join(table(counts, json.loads(RECORD.read_text())["counts"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
