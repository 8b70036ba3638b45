"""Near-duplicates of 50 000 vectors, as CSV: `python examples/duplicates.py > duplicates.csv`."""

import csv
import sys

import numpy as np

import minifloat as mf

ROWS, DIM, THRESHOLD = 50_000, 128, 0.95
rng = np.random.default_rng(0)

# A catalogue of recordings; 200 of them were taken in again, with a little noise.
vectors = rng.standard_normal((ROWS, DIM), np.float32)
twice = rng.choice(ROWS, (200, 2), replace=False)
vectors[twice[:, 1]] = vectors[twice[:, 0]] + 0.1 * rng.standard_normal((200, DIM), np.float32)
names = [f"recording-{row:05}" for row in range(ROWS)]
database = mf.quantize(vectors, "e2m3")

# All pairs are compared, and come block by block: memory holds those of one block.
planted = {(min(pair), max(pair)) for pair in twice.tolist()}
hits = others = 0
table = csv.writer(sys.stdout, lineterminator="\n")
table.writerow(["first", "second", "score"])
for pairs, scores in mf.pairs_above(database, THRESHOLD):
    for (first, second), score in zip(pairs.tolist(), scores.tolist(), strict=True):
        table.writerow([names[first], names[second], f"{score:.3f}"])
        hits += (first, second) in planted
        others += (first, second) not in planted
print(f"{hits} of {len(planted)} duplicates found, {others} others", file=sys.stderr)

# What comes in later is compared with what is there before it is added.
arriving = np.concatenate([vectors[:3], rng.standard_normal((3, DIM), np.float32)])
there = mf.range_search(arriving, database, THRESHOLD)
for i in range(len(arriving)):
    same = [names[row] for row in there.rows[there.offsets[i] : there.offsets[i + 1]]]
    print(f"arriving {i}:", ", ".join(same) or "new", file=sys.stderr)
