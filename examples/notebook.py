"""100 000 vectors in 4 bits: how much smaller, and how many of the nearest are still found.

Each `# %%` begins a cell: editors open this file as a notebook.
"""

# %% Vectors as models make them: with an offset, and directions that are used more than others.
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import minifloat as mf

rng = np.random.default_rng(0)
spread = np.linspace(2, 0.2, 256, dtype=np.float32)
vectors = rng.standard_normal((100_000, 256), np.float32) * spread + 2
queries = vectors[:100] + 0.2 * rng.standard_normal((100, 256), np.float32)

# %% Pack them into 4 bits a value, in a frame, which takes the offset out and keeps it.
frame = mf.Frame.fit(vectors[::50])
packed = mf.quantize(vectors, "e2m1", frame=frame)
print(packed)
print(f"{vectors.nbytes:,} bytes have become {packed.nbytes:,}")

# %% Search: queries stay floats.
scores, rows = mf.search(queries, packed, k=10)
print("nearest to the first query:", rows[0, :3], scores[0, :3].round(2))

# %% Of the 10 that are nearest in float32, how many are found?
unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
nearest = np.argpartition(-queries @ unit.T, 10)[:, :10]
for format, way in ("e2m1", None), ("e2m1", frame), ("e2m3", frame):
    database = mf.quantize(vectors, format, frame=way)
    _, found = mf.search(queries, database, k=10)
    recall = (found[:, :, None] == nearest[:, None]).any(2).mean()
    print(f"{database.format.bits} bits {'in a' if way else 'without a'} frame: {recall:.3f}")

# %% Keep them in a file, which is mapped into memory when it is loaded.
with TemporaryDirectory() as folder:
    path = Path(folder) / "vectors.safetensors"
    packed.save(path)
    loaded = mf.PackedVectors.load(path)
    _, again = mf.search(queries, loaded, k=10)
    print("the file finds the same:", loaded == packed and bool((again == rows).all()))
