"""All 2^32 float32 inputs through every encoder: python -m tests.proofs.exhaustive

Each format's codes, saturating first and then not, are compared with a table of the bit patterns
at which a new code starts. The table is found by bisection against the format's oracle, which is
ml_dtypes, or NumPy where ml_dtypes has no such type, and checked against gfloat at both ends of
every run; the oracle itself then goes through all inputs as one more backend. The digest of all
codes of a format must be the one in digests.json.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

import minifloat as mf
from evaluation.command.help import HelpFormatter
from minifloat import _C
from minifloat.backends import implementation
from minifloat.files.headers import once_each
from tests.support import oracles

DIGESTS = Path(__file__).with_name("digests.json")
BACKENDS = ("oracle", *_C.available_isas(), "eager")
PATTERNS = 2**32
CHUNK = 2**20

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Sweep:
    """What one backend made of every input in one format."""

    format: str
    backend: str
    inputs: int
    wrong: int
    first_wrong: str
    digest: str


def sweep(format_name: str, backend: str) -> Sweep:
    """Return the outcome of all inputs, in both overflow modes."""
    torch.set_num_threads(1)
    format = mf.formats.as_format(format_name)
    encode = encoder(format, backend)
    digest, inputs, wrong, first_wrong = hashlib.sha256(), 0, 0, ""
    for saturate in (True, False):
        table = oracles.boundaries(format, saturate=saturate)
        check_table(format, *table, saturate=saturate)
        for first in range(0, PATTERNS, CHUNK):
            patterns = np.arange(first, first + CHUNK, dtype=np.uint32)
            codes = encode(patterns.view(np.float32), saturate)
            expected = expected_codes(format, *table, first)
            if not np.array_equal(codes, expected):
                places = np.flatnonzero(codes != expected)
                wrong += len(places)
                at = places[0]
                first_wrong = first_wrong or (
                    f"0x{patterns[at]:08x}, saturate={saturate}: "
                    f"0x{codes[at]:02x} instead of 0x{expected[at]:02x}"
                )
            digest.update(codes.data)
            inputs += CHUNK
    return Sweep(format_name, backend, inputs, wrong, first_wrong, digest.hexdigest())


def encoder(format: mf.Format, backend: str) -> Callable[[NDArray[np.float32], bool], Codes]:
    """Return the function that makes codes of values and `saturate`."""
    if backend == "oracle":
        return lambda x, saturate: oracles.encode(x, format, saturate=saturate)
    if backend != "eager":
        _C.set_isa(backend)
    run = implementation("eager" if backend == "eager" else "cpu", "encode")
    return lambda x, saturate: run(torch.from_numpy(x), format.name, saturate).numpy()


def expected_codes(
    format: mf.Format, starts: NDArray[np.uint32], codes: Codes, first: int
) -> Codes:
    """Return the codes of the patterns first, first + 1, ..., CHUNK of them, by the table."""
    negative = first >= PATTERNS // 2
    magnitude = first - PATTERNS // 2 * negative
    edges = np.clip(starts.astype(np.int64) - magnitude, 0, CHUNK)
    lengths = np.diff(edges, append=CHUNK)
    sign = np.uint8(2 ** (format.bits - 1) * negative)
    return np.repeat(codes ^ sign, lengths)


def check_table(
    format: mf.Format, starts: NDArray[np.uint32], codes: Codes, *, saturate: bool
) -> None:
    """Raise AssertionError where gfloat rounds the first or the last pattern of a run otherwise."""
    # The last run is NaN's.
    number = np.concatenate([starts[:-1], starts[1:] - np.uint32(1)]).view(np.float32)
    expected = oracles.decode(np.concatenate([codes[:-1], codes[:-1]]), format)
    rounded = oracles.round_once_by_gfloat(number.astype(np.float64), format, saturate=saturate)
    np.testing.assert_array_equal(rounded, expected)


def sweeps(formats: list[str], backends: list[str], jobs: int) -> Iterator[Sweep]:
    """Yield the outcomes as they come."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        # The slow backends start first.
        tasks = [pool.submit(sweep, f, b) for b, f in product(reversed(backends), formats)]
        bar = tqdm(as_completed(tasks), total=len(tasks), unit="sweep", disable=None)
        yield from (task.result() for task in bar)


def choice(text: str, allowed: tuple[str, ...], what: str) -> list[str]:
    """Return the names in a comma-separated list, or exit with an error that names a wrong one."""
    names = text.split(",")
    for name in names:
        if name not in allowed:
            sys.exit(f"error: {what} must be one of {', '.join(allowed)}; got '{name}'")
    return names


def main() -> int:
    """Return the exit status: 1 where a code or a digest is wrong."""
    names = tuple(format.name for format in mf.FORMATS)
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--formats", default=",".join(names), help="comma-separated")
    parser.add_argument("--backends", default=",".join(BACKENDS), help="comma-separated")
    parser.add_argument("--jobs", type=int, default=torch.get_num_threads(), help="processes")
    given = parser.parse_args()
    formats = choice(given.formats, names, "format")
    backends = choice(given.backends, BACKENDS, "backend")

    recorded = json.loads(DIGESTS.read_text(), object_pairs_hook=once_each)
    failed, new = False, {}
    heading = f"{'format':8}{'oracle':11}{'backend':12}"
    print(f"{heading}{'inputs':>14}{'wrong':>14}  sha256 of all codes")
    for found in sweeps(formats, backends, given.jobs):
        if found.format not in recorded and not found.wrong:
            new[found.format] = found.digest
        differs = found.digest != recorded.get(found.format, found.digest)
        failed |= differs or found.wrong > 0
        note = f" differs from {DIGESTS.name}" if differs else ""
        oracle = oracles.name(mf.formats.as_format(found.format))
        tqdm.write(
            f"{found.format:8}{oracle:11}{found.backend:12}{found.inputs:14,}{found.wrong:14,}  "
            f"{found.digest}{note}"
        )
        if found.wrong:
            tqdm.write(f"{'':8}first wrong: {found.first_wrong}")
    for name, digest in new.items():
        print(f'{name} is new: put "{name}": "{digest}" into tests/{DIGESTS.name}')
    right = "every code is right and every digest is the recorded one" + (", or new" if new else "")
    print("failed" if failed else right)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
