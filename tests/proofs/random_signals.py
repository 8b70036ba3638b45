"""Interrupts calls at random times: scripts/test --signals [COUNT]

Each call gets a signal somewhere between its beginning and its end, whose handler raises, with 1,
2 and 3 threads. It must end soon after, keep no memory, and give the same bytes when it is called
again. Built with sanitizers, what it leaves behind that is not its own is seen too.
"""

import argparse
import gc
import random
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from torch import Tensor

import minifloat as mf
from minifloat import _C

# Half a second, and what sanitizers make of it.
ALLOWED = 0.5
FORMATS = ("e2m1", "e2m3", "e3m4", "e4m3")


class StoppedError(Exception):
    """What the handler raises."""


def stop(number: int, frame: object) -> None:
    """Handle the signal."""
    raise StoppedError


@contextmanager
def handled() -> Iterator[None]:
    """Handle signals, passing over those that Python loses.

    What is raised while Python calls back for a weak reference or a finalizer is dropped, and the
    call goes on. In a callback of ours it would be a fault.
    """
    hook, handler = sys.unraisablehook, signal.signal(signal.SIGALRM, stop)

    def pass_over(unraisable: "sys.UnraisableHookArgs") -> None:
        module = getattr(unraisable.object, "__module__", None) or ""
        if unraisable.exc_type is not StoppedError or module.startswith("minifloat"):
            hook(unraisable)

    sys.unraisablehook = pass_over
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        sys.unraisablehook = hook


def calls(folder: Path) -> dict[str, Callable[[], object]]:
    """Return calls that take some tenths of a second each, and give the same each time."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(60_000, 203, generator=generator)
    queries = torch.randn(64, 203, generator=generator)
    pairs = torch.randint(0, 3000, (400_000, 2), generator=generator)
    order = torch.randint(0, 60_000, (300_000,), generator=generator)
    found: dict[str, Callable[[], object]] = {}
    for name in FORMATS:
        rows = mf.quantize(values, name)
        few, path = rows[:3000], folder / f"{name}.safetensors"
        rows.save(path)
        codes = mf.encode(values, name)
        found |= {
            f"quantize {name}": partial(mf.quantize, values, name),
            f"to_lane {name}": partial(torch.ops.minifloat.to_lane, values.double(), name),
            f"encode {name}": partial(mf.encode, values.double(), name),
            f"decode {name}": partial(mf.decode, codes, name),
            f"pack {name}": partial(mf.pack, codes, name),
            f"dequantize {name}": rows.dequantize,
            f"scores {name}": partial(mf.scores, few, few),
            f"pairs {name}": partial(mf.scores, few, few, pairs=pairs),
            f"search {name}": partial(mf.search, queries, rows, 10),
            f"search packed {name}": partial(mf.search, rows[:64], rows, 300),
            f"index {name}": partial(rows.__getitem__, order),
            f"cat {name}": partial(mf.PackedVectors.cat, [rows] * 8),
            f"save {name}": partial(rows.save, path),
            f"verify {name}": partial(mf.PackedVectors.verify, path),
            f"load {name}": partial(mf.PackedVectors.load, path, mmap=False),
        }
    return found


def digest(result: object) -> int:
    """Return a number that another result does not have."""
    if isinstance(result, mf.PackedVectors):
        result = (result.codes, result.reciprocal_norms)
    parts = result if isinstance(result, tuple) else (result,)
    return hash(
        tuple(
            part.contiguous().numpy().tobytes() if isinstance(part, Tensor) else part
            for part in parts
        )
    )


def resident() -> int:
    """Return the bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main(arguments: list[str]) -> int:
    """Return the exit status: 1 where a call ended late, grew or gave something else."""
    options = argparse.ArgumentParser(prog="scripts/test --signals", description="interrupt calls")
    options.add_argument("count", nargs="?", type=int, default=1000, metavar="COUNT")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--allowed", type=float, default=ALLOWED, metavar="SECONDS")
    given = options.parse_args(arguments)
    chance = random.Random(given.seed)
    isa, threads = _C.isa(), torch.get_num_threads()
    stopped, waits, failed = 0, [], 0
    with tempfile.TemporaryDirectory() as folder, handled():
        every = calls(Path(folder))
        expected: dict[str, int] = {}
        seconds: dict[str, float] = {}
        for name, call in every.items():
            begin = monotonic()
            expected[name] = digest(call())
            seconds[name] = monotonic() - begin
        gc.collect()
        before = resident()
        for number in range(given.count):
            name, call = chance.choice(list(every.items()))
            _C.set_isa(chance.choice(_C.available_isas()))
            torch.set_num_threads(chance.choice((1, 2, 3)))
            at = chance.uniform(1e-4, seconds[name])
            begin = monotonic()
            try:
                signal.setitimer(signal.ITIMER_REAL, at)
                call()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except StoppedError:
                waits.append(monotonic() - begin - at)
                stopped += 1
                if waits[-1] > given.allowed:
                    failed += 1
                    print(f"{number}: {name} ended {waits[-1]:.2f} s after its signal", flush=True)
            # Sums of floats have another order with another set.
            _C.set_isa(isa)
            if number % 10 == 9 and digest(call()) != expected[name]:
                failed += 1
                print(f"{number}: {name} gives another result than before", flush=True)
            if sys.stderr.isatty() or number % 100 == 99:
                print(f"\r{number + 1} of {given.count} calls", end="", file=sys.stderr, flush=True)
        gc.collect()
        grown = resident() - before
        left = [path.name for path in Path(folder).iterdir() if path.suffix != ".safetensors"]
    _C.set_isa(isa)
    torch.set_num_threads(threads)
    print(
        f"\n{given.count} calls, {stopped} of them stopped, the longest wait "
        f"{max(waits, default=0):.2f} s, median {np.median(waits or [0]):.4f} s; memory grew by "
        f"{grown / 1e6:.0f} MB; left in the folder: {left or 'nothing'}"
    )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
