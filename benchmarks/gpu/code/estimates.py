"""What limits kernels on an NVIDIA H200, from counts of their instructions and measured limits.

python -m benchmarks.gpu.code.estimates prints the tables of docs/performance/gpu-estimates.md: of
the loop that does the work, how long a scheduler is busy with a turn of one warp, and how long what
it moves or multiplies takes at the limit, in clocks; and what rows that stream take. Kernels are
those of benchmarks/gpu/code/counts.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gpu.code import streams

RECORD = Path(__file__).with_name("counts.json")
MEASURED = Path("benchmarks/results/nvidia-h200.json")

# Of an H200, at the clock by which NVIDIA gives its peaks; it may run at up to 1.98 GHz.
CLOCK = 1.83e9
SCHEDULERS = 132 * 4
# Products that the matrix unit beside a scheduler adds in a clock.
PRODUCTS = {"int8": 1024, "float16": 512}


@dataclass(frozen=True)
class Work:
    """A kernel and what its loop takes at a turn of one warp: bytes of memory, or products."""

    what: str
    kernel: str
    limit: str
    amount: float
    # Which loop does it, in the order of the code.
    loop: int = 0


def _packing() -> Iterator[Work]:
    formats = {"E3M2": (3, 6), "E2M3": (4, 6), "E2M1": (5, 4)}
    for source, (bits, values) in {"float": (32, 128), "Bfloat16": (16, 256)}.items():
        for name, (index, coded) in formats.items():
            yield Work(
                f"encode+pack {name}, {source.lower()}{bits if source == 'float' else ''}",
                f"pack_long_kernel<{index}, true, {source}>",
                "copy",
                values * (bits + coded) / 8,
            )
        for name, index in {"E5M2": 0, "E4M3": 1, "E3M4": 2}.items():
            yield Work(
                f"encode {name}, {source.lower()}{bits if source == 'float' else ''}",
                f"encode_kernel<{index}, {source}, true>",
                "copy",
                values * (bits + 8) / 8,
            )


WORKS = (*_packing(),)


def main() -> int:
    """Print the table; return 0."""
    record = json.loads(RECORD.read_text())
    print("\n".join(table(record["loops"], json.loads(MEASURED.read_text()))))
    print()
    print("\n".join(streams.table(record["streams"])))
    return 0


def table(loops: Mapping[str, Any], measured: Mapping[str, Any]) -> list[str]:
    """Return the lines of the table, of loops as they are recorded."""
    lines = ["| work | limit | clocks at the limit | clocks of a scheduler | busy |"]
    lines.append("|---|---|---|---|---|")
    for work in WORKS:
        loop = loops[work.kernel][work.loop]
        at_limit = clocks_at_limit(work, measured)
        least, most = sorted((loop["shortest"], loop["clocks"]))
        busy = f"{least / at_limit:.0%} to {most / at_limit:.0%}".replace("%", " %")
        told = [work.what, work.limit, f"{at_limit:.0f}", f"{least:g} to {most:g}", busy]
        lines.append(f"| {' | '.join(told)} |")
    return lines


def clocks_at_limit(work: Work, measured: Mapping[str, Any]) -> float:
    """Return the clocks of a scheduler in which its share of the limit does a turn's work."""
    if work.limit in PRODUCTS:
        return work.amount / PRODUCTS[work.limit]
    return work.amount * SCHEDULERS * CLOCK / bandwidth(work.limit, measured)


def bandwidth(limit: str, measured: Mapping[str, Any]) -> float:
    """Return the most bytes a second that a run has copied, or read."""
    rates: list[float] = [
        figures["gb_per_s"] * 1e9
        for record in measured["steps"]["bars"]["items"].values()
        for name, figures in record.get("limits", {}).items()
        if name.startswith(limit) and "to device" not in name
    ]
    return max(rates)


if __name__ == "__main__":
    sys.exit(main())
