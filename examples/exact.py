"""Exact answers from 4 bits: float rows stay in a file, of which a search reads a few."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import minifloat as mf

ROWS, DIM, BLOCK = 60_000, 192, 10_000
rng = np.random.default_rng(0)

with TemporaryDirectory() as folder:
    # Float rows are in a file that need not fit into memory: 20 recordings of each voice.
    path = Path(folder) / "originals.npy"
    originals = np.lib.format.open_memmap(path, "w+", np.float32, (ROWS, DIM))
    for first in range(0, ROWS, BLOCK):
        voices = np.repeat(rng.standard_normal((BLOCK // 20, DIM)), 20, axis=0)
        originals[first : first + BLOCK] = voices + rng.standard_normal((BLOCK, DIM)) + 1
    originals.flush()
    originals = np.load(path, mmap_mode="r")

    # They are packed block by block; with errors=True a byte a row tells how far rounding went.
    frame = mf.Frame.fit(originals[::30])
    database = mf.PackedVectors.cat(
        [
            mf.quantize(originals[first : first + BLOCK], "e2m1", frame=frame, errors=True)
            for first in range(0, ROWS, BLOCK)
        ]
    )
    print(database)

    # The codes tell which rows may be among the best, and only those are read.
    queries = originals[::600] + 0.3 * rng.standard_normal((100, DIM), np.float32)
    scores, rows, read = mf.search(queries, database, k=10, originals=originals, return_stats=True)

    # The same by all float rows, in float64.
    whole = originals.astype(np.float64)
    whole /= np.linalg.norm(whole, axis=1, keepdims=True)
    asked = queries.astype(np.float64)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    cosines = asked @ whole.T
    nearest = np.argsort(-cosines, axis=1)[:, :10]
    best = np.take_along_axis(cosines, nearest, axis=1)

print("the rows are those of float64:", bool((rows == nearest).all()))
print(f"the cosines are off by {abs(scores - best).max():.0e} at most, as float32 has them")
_, coarse = mf.search(queries, database, k=10)
print(f"of codes alone {(coarse[:, :, None] == nearest[:, None]).any(2).mean():.1%} are the same")
median, most = int(read.rows.median()), int(read.rows.max())
print(f"rows read for a query: {median} of {ROWS:,}, {most} at most")
print(f"bytes read for 100 queries: {read.bytes:,} of {originals.nbytes:,}")
