"""Files with random damage: python -m tests.proofs.damaged_files [FILES]

Each is made from one of some small files by bits that are flipped, bytes that are cut off, put
in, moved or overwritten, another file's header, tensors that change places, or other metadata.
Loaded with `verify=True` it must equal a file that was saved, or raise ValueError, or warn that it
has no checksums; nothing else, and within seconds. What loads without proof must be searched
without harm.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

import minifloat as mf
from minifloat.files import checksums
from tests.proofs.damage import DAMAGE

BATCH = 5000
SECONDS = 5

Identity = tuple[str, int, bytes, bytes]


def identity(rows: mf.PackedVectors) -> Identity:
    norms = rows.reciprocal_norms.view(torch.uint8) if len(rows) else torch.empty(0)
    return rows.format.name, rows.dim, rows.codes.numpy().tobytes(), norms.numpy().tobytes()


def originals(folder: Path) -> tuple[list[bytes], set[Identity]]:
    """Return the content of small files, most of several blocks, and what each holds."""
    # Blocks of a few rows.
    checksums._BLOCK_BYTES = 64
    files, known = [], set()
    shapes = ((0, 7), (1, 1), (5, 9), (5, 10), (30, 9), (30, 10), (12, 33))
    for seed, (format, (rows, dim)) in enumerate(
        (format, shape) for format in mf.FORMATS for shape in shapes
    ):
        x = torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))
        x[1::4] = 0
        saved = mf.quantize(x, format)
        if format.specials != "none" and rows > 9:
            codes = saved.codes.clone()
            codes[7] = 0x7F
            norms = torch.ops.minifloat.reciprocal_norms(codes, format.name, dim)
            saved = mf.PackedVectors(codes, norms, format, dim)
        saved.save(folder / "saved")
        files.append((folder / "saved").read_bytes())
        known.add(identity(saved))
    return files, known


def too_long(*_: object) -> None:
    raise TimeoutError(f"a file took more than {SECONDS} s")


def outcome(path: Path, known: set[Identity], *, mmap: bool) -> str:
    """Return what became of a file; AssertionError for wrong rows."""
    try:
        unproven = mf.PackedVectors.load(path, mmap=mmap)
    except ValueError:
        unproven = None
    if unproven is not None and len(unproven):
        mf.search(unproven[:1], unproven, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows = mf.PackedVectors.load(path, mmap=mmap, verify=True)
    except UserWarning:
        assert unproven is not None
        return "without checksums"
    except ValueError:
        return "refused" if unproven is None else "refused by verify alone"
    assert identity(rows) in known, "these rows were not saved"
    return "equal"


def damage_batch(seed: int, count: int) -> Counter[str]:
    """Return how many files had which outcome; RuntimeError, with the file, for any other."""
    torch.set_num_threads(1)
    chance, found = random.Random(seed), Counter[str]()
    signal.signal(signal.SIGALRM, too_long)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        files, known = originals(Path(folder))
        path = Path(folder) / "damaged"
        for number in range(count):
            content, other = chance.sample(files, 2)
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                damage = chance.choice(DAMAGE)
                content = damage(content, other, chance) if len(content) > 8 else content
            path.write_bytes(content)
            signal.alarm(SECONDS)
            try:
                found[outcome(path, known, mmap=chance.random() < 0.5)] += 1
            except BaseException as error:
                text = f"file {number} of seed {seed} ({error!r}): {content!r}"
                raise RuntimeError(text) from error
            finally:
                signal.alarm(0)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=int, nargs="?", default=10**6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    batches = [min(BATCH, options.files - first) for first in range(0, options.files, BATCH)]
    seeds = [options.seed + i for i in range(len(batches))]
    found = Counter[str]()
    # A process that dies breaks the pool.
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        results = pool.map(damage_batch, seeds, batches)
        for part in tqdm(results, total=len(batches), disable=not sys.stderr.isatty()):
            found += part
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.items(), reverse=True))
    print(f"{found.total():,} damaged files: {kinds}")


if __name__ == "__main__":
    main()
