"""Indexes that lose nothing, whatever happens: scripts/test --faults [OPTIONS]

Kills at calls that change the disk, power cuts, bytes that are damaged, disks that fail, calls that
are interrupted, and a writer with four readers for long. Each ends with what was tried; the first
loss is an error.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from tests.index.faults.full import DISKS, failures
from tests.index.faults.harm import Harmed
from tests.index.faults.interrupting import interrupt
from tests.index.faults.killing import Prepared, kills
from tests.index.faults.power import Cuts
from tests.index.faults.scenarios import SCENARIOS
from tests.index.faults.soaking import soak
from tests.index.faults.tracing import why_not

# What is tried, by the options that have it tried alone.
PARTS = ("kills", "cuts", "flips", "failures", "interrupts", "soak")

# The exit status where strace can look at nothing.
NOT_HERE = 77


def prepared(folder: Path) -> Iterator[Prepared]:
    """Yield all scenarios."""
    for number, scenario in enumerate(SCENARIOS):
        yield Prepared(scenario, folder / f"{number}")


def try_kills(every: int, folder: Path) -> None:
    """Kill at every so manyth call of each scenario."""
    for number, one in enumerate(prepared(folder)):
        found = Counter(kill.found for kill in kills(one, every, number % every))
        print(f"{one.scenario.name}: {found.total()} killed, {told(found)}", flush=True)


def try_cuts(count: int, folder: Path) -> None:
    """Cut the power so often, within all scenarios alike."""
    chance = random.Random(0)
    share = -(-count // len(SCENARIOS))
    for one in prepared(folder):
        cuts = Cuts(one)
        cuts.refuse_other_disk()
        found = cuts.cut_often(share, chance)
        print(f"{one.scenario.name}: power cut {found.total()} times, {told(found)}", flush=True)


def try_flips(every: int, folder: Path) -> None:
    """Change every so manyth byte of each file, of three indexes."""
    for kind, framed in (("text", True), ("integer", False), ("uuid", True)):
        harmed = Harmed(folder / kind, kind, framed=framed)
        found = harmed.flips(every, first=len(kind))
        print(f"{kind}: {found.total()} bytes changed, {told(found)}")
        ends = harmed.cuts(2 + 64 // every)
        print(f"{kind}: {ends.total()} files cut short, {told(ends)}")
        others = harmed.exchanges()
        print(f"{kind}: {others.total()} files exchanged or away, {told(others)}", flush=True)


def try_failures(every: int, folder: Path) -> None:
    """Have every so manyth call fail, on each disk."""
    for number, one in enumerate(prepared(folder)):
        tried = Counter[str]()
        for at, disk in enumerate(DISKS):
            found = list(failures(one, disk, every, (37 * number + 23 * at) % every))
            tried[disk] += len(found)
            for failure in found:
                failure.refuse_unsaid()
        print(f"{one.scenario.name}: {tried.total()} calls failed, {told(tried)}", flush=True)


def try_interrupts(count: int, folder: Path) -> None:
    """Interrupt so many calls."""
    found = interrupt(count, folder, count)
    print(f"{found.total()} calls, {told(found)}")


def try_soak(seconds: int, folder: Path) -> None:
    """Read and write for so long."""
    done, wrong = soak(folder / "soaked", seconds)
    print(f"{seconds} s: " + ", ".join(f"{value:,.0f} {what}" for what, value in done.items()))
    assert not wrong, wrong


def told(found: Counter[Any]) -> str:
    """Return counts in words."""
    return ", ".join(
        f"{count} {key if isinstance(key, str) else ' '.join(key)}"
        for key, count in sorted(found.items())
    )


def main(arguments: list[str]) -> int:
    """Return the exit status: 77 where strace can look at nothing."""
    parser = argparse.ArgumentParser(prog="scripts/test --faults", description=__doc__)
    parser.add_argument("--kills", type=int, metavar="EVERY", help="at every so manyth call")
    parser.add_argument("--cuts", type=int, metavar="COUNT", help="power cuts")
    parser.add_argument("--flips", type=int, metavar="EVERY", help="every so manyth byte")
    parser.add_argument("--failures", type=int, metavar="EVERY", help="every so manyth call")
    parser.add_argument("--interrupts", type=int, metavar="COUNT", help="calls")
    parser.add_argument("--soak", type=int, metavar="SECONDS", help="of reading and writing")
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value}
    all = dict(zip(PARTS, (1, 20_000, 1, 1, 20_000, 120), strict=True))
    tries: dict[str, Callable[[int, Path], None]] = {
        name: globals()[f"try_{name}"] for name in PARTS
    }
    # A process with threads of its own is not forked.
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        reason = why_not(Path(folder))
        for name, value in (given or all).items():
            if reason is not None and name in ("kills", "cuts", "failures"):
                print(f"{name} cannot be tried: {reason}")
                return NOT_HERE
            (Path(folder) / name).mkdir()
            tries[name](value, Path(folder) / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
