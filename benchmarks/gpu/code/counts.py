"""Instructions of the GPU kernels' loops, counted in machine code: a measure where no GPU is.

python -m benchmarks.gpu.code.counts                      # all kernels that nvcc has built
python -m benchmarks.gpu.code.counts 'search_kernel<5' --loops --bytes 512 --file some.o

counts what is there, not what runs: both sides of a branch, each instruction of a loop once, and of
what is called only the call. Half-rate instructions are those of the integer pipe, of which a
scheduler takes one every other clock; clocks are those of a warp's scheduler, if only the busiest
of its pipes had to be waited for. With `--record` what stands in loops is put into
benchmarks/gpu/code/counts.json, and `--check` fails where it has grown; kernels that are new have
no record until the next is made.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.gpu.code import streams
from benchmarks.gpu.code.estimates import RECORD, WORKS
from benchmarks.gpu.code.machine_code import Kernel, MissingError, extension, kernels
from benchmarks.gpu.code.pipes import Count, counted
from evaluation.command.help import HelpFormatter

ARCHITECTURE = "sm_90a"
# A warp reads so many bytes in one instruction, 16 a lane.
WARP_BYTES = 512
# Schedulers make of the same source a few instructions more or less.
MOST_GROWTH = 0.05

# Of each kernel by its name: what stands in its loops.
Counts = dict[str, dict[str, int]]

_PIPES = ("matrix", "load", "store", "shared", "imad", "conversion", "barrier")


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, 1 where counts have grown, 2 where there is nothing to count."""
    options = _parser().parse_args(arguments)
    try:
        file = options.file or extension()
        found = kernels(file, options.arch, options.pattern)
    except MissingError as error:
        print(error, file=sys.stderr)
        return 2
    if not found:
        print(f"{file} has no such kernel for {options.arch}", file=sys.stderr)
        return 2
    if options.record:
        RECORD.write_text(recorded(found, compiler(file)))
        return 0
    if options.check:
        return _check(looping(found), compiler(file))
    for line in _table(found, options.loops, options.bytes):
        print(line)
    return 0


def looping(found: Sequence[Kernel]) -> Counts:
    """Return what stands in the loops of kernels."""
    counts: Counts = {}
    for kernel in found:
        count = counted(kernel.looping)
        counts[kernel.name] = {"issued": count.issued, "half_rate": count.pipes.get("alu", 0)}
    return counts


def recorded(found: Sequence[Kernel], compiler: str) -> str:
    """Return the text of a record: a line a kernel, and loops of those that estimates are of."""
    loops = {
        kernel.name: [
            {"clocks": counted(loop.own).clocks, "shortest": counted(loop.shortest).clocks}
            for loop in kernel.loops
        ]
        for kernel in found
        if kernel.name in {work.kernel for work in WORKS}
    }
    head = {"compiler": compiler, "architecture": ARCHITECTURE}
    parts = [f" {json.dumps(name)}: {json.dumps(text)}" for name, text in head.items()]
    groups: dict[str, Mapping[str, object]] = {
        "kernels": looping(found),
        "loops": loops,
        "streams": streams.recorded(found),
    }
    for name, lines in groups.items():
        each = [f"  {json.dumps(kernel)}: {json.dumps(lines[kernel])}" for kernel in sorted(lines)]
        parts.append(f" {json.dumps(name)}: {{\n" + ",\n".join(each) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def growth(before: Counts, now: Counts) -> list[str]:
    """Return a line for each figure that has grown, of kernels that are on both sides."""
    lines = []
    for name in sorted(now.keys() & before.keys()):
        for figure, count in now[name].items():
            then = before[name][figure]
            if count > then * (1 + MOST_GROWTH):
                lines.append(f"{name}: {figure} {then} -> {count}, {count / max(1, then) - 1:+.1%}")
    return lines


def compiler(file: Path) -> str:
    """Return the compiler that has made a file's kernels, as they say themselves."""
    match = re.search(rb"Cuda compilation tools, (release [^\0\n]+)", file.read_bytes())
    return match[1].decode() if match else "an unknown compiler"


def _check(now: Counts, built_by: str) -> int:
    if not RECORD.exists():
        print(f"{RECORD} does not exist; run with --record to make it", file=sys.stderr)
        return 2
    record = json.loads(RECORD.read_text())
    if record["compiler"] != built_by:
        print(f"recorded with {record['compiler']}, built with {built_by}: counts may differ")
    before = record["kernels"]
    new, gone = len(now.keys() - before.keys()), len(before.keys() - now.keys())
    print(f"{new} kernels are not recorded, {gone} gone")
    lines = growth(before, now)
    print("\n".join(lines) or f"no kernel has grown by more than {MOST_GROWTH:.0%}")
    return 1 if lines else 0


def _table(found: Sequence[Kernel], has_loops: bool, turn_bytes: int | None) -> Iterator[str]:
    for kernel in found:
        yield f"{kernel.name}: {len(kernel.instructions)} instructions"
        yield f"  in loops: {_told(counted(kernel.looping), turn_bytes if not has_loops else None)}"
        for loop in kernel.loops if has_loops else ():
            indent = "  " * (loop.depth + 1)
            yield f"{indent}loop {loop.header:#06x}: {_told(counted(loop.own), turn_bytes)}"
            if len(loop.shortest) < len(loop.instructions):
                yield f"{indent}  shortest way round: {_told(counted(loop.shortest), turn_bytes)}"


def _told(count: Count, turn_bytes: int | None) -> str:
    pipes = ", ".join(f"{count.pipes[name]} {name}" for name in _PIPES if name in count.pipes)
    told = f"{count.issued} issued, {count.pipes.get('alu', 0)} half rate, {count.clocks:g} clocks"
    told += f" ({pipes})" if pipes else ""
    if turn_bytes:
        parts = count.of(turn_bytes / WARP_BYTES).items()
        each = ", ".join(f"{value:.1f} {name.replace('_', ' ')}" for name, value in parts)
        told += f"; for {WARP_BYTES} bytes {each}"
    return told


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu.code.counts",
        description="Count the instructions of the GPU kernels' loops in machine code.",
        formatter_class=HelpFormatter,
    )
    made.add_argument(
        "pattern", nargs="?", default="", metavar="PATTERN", help="only kernels with this in a name"
    )
    made.add_argument(
        "--file", type=Path, metavar="FILE", help="an object or a cubin; by default the extension"
    )
    made.add_argument("--arch", default=ARCHITECTURE, metavar="NAME", help="for which GPUs")
    made.add_argument("--loops", action="store_true", help="tell of each loop, less those within")
    made.add_argument(
        "--bytes",
        type=int,
        metavar="N",
        help=f"packed bytes that a warp takes in a turn: tells what {WARP_BYTES} of them take",
    )
    way = made.add_mutually_exclusive_group()
    way.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    way.add_argument("--check", action="store_true", help=f"fail where {RECORD.name} has less")
    return made


if __name__ == "__main__":
    sys.exit(main())
