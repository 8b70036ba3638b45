"""Speakers are enrolled, verified and identified; one records anew and is erased on request."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import minifloat as mf

# Of 125 speakers' 20 recordings each, 5 are enrolled, and 15 are tried against them.
SAMPLES = Path(__file__).parents[1] / "evaluation" / "samples" / "so762-campplus.npz"
with np.load(SAMPLES) as sample:
    speakers = sample["speaker"][::20]
    names = sample["utterance"].reshape(125, 20)
    voices = sample["embeddings"].reshape(125, 20, 192)
enrolled, tried = voices[:, :5], voices[:, 5:]

# Unbiased scores are right on average: in 4 bits a threshold means what it means in float32.
kind: dict[str, Any] = {"format": "e2m1", "estimator": "unbiased"}

# A score is the mean cosine of a recording with all of a speaker's. The threshold accepts 1 % of
# the impostors in trials of 25 speakers that have no part in what follows.
packed = mf.quantize(enrolled[100:].reshape(-1, 192), **kind)
scores = mf.scores(tried[100:].reshape(-1, 192), packed).reshape(25 * 15, 25, 5).mean(2)
is_target = np.repeat(np.arange(25), 15)[:, None] == np.arange(25)
threshold = np.quantile(scores[~is_target], 0.99)
print(f"threshold {threshold:.3f} accepts {(scores[is_target] >= threshold).mean():.1%} of targets")

with TemporaryDirectory() as folder:
    path = Path(folder) / "voices.index"
    columns = {"speaker": "text indexed", "tenant": "text", "day": "integer"}
    index = mf.Index.create(path, dim=192, columns=columns, **kind)

    # Enrol: a recording is a row, known by its name.
    for i, speaker in enumerate(speakers[:100]):
        tenant = "north" if i < 50 else "south"
        index.add(names[i, :5], enrolled[i], speaker=speaker, tenant=tenant, day=i % 7)
    index.commit()
    print(index.stats().rows, "recordings, bytes each:", index.stats().bytes_per_row)

    # Verify: each recording claims to be each speaker, whose rows all have cosines from -1 on.
    claims = tried[:100].reshape(-1, 192)
    accepted = np.empty((100, len(claims)), bool)
    for i, speaker in enumerate(speakers[:100]):
        found = index.range_search(claims, -1, where=("speaker = ?", [speaker]))
        accepted[i] = found.scores.reshape(len(claims), 5).mean(1) >= threshold
    is_target = np.repeat(np.arange(100), 15) == np.arange(100)[:, None]
    targets, impostors = accepted[is_target].mean(), accepted[~is_target].mean()
    print(f"accepted: {targets:.1%} of targets, {impostors:.1%} of impostors")

    # Identify: the nearest recording tells the speaker, of one tenant and some days.
    where = index.filter(("tenant = ? AND day < ?", ["north", 5]))
    asked = [i for i in range(50) if i % 7 < 5]
    _, nearest = index.search(tried[asked].reshape(-1, 192), k=1, where=where)
    told = np.array(index.get(nearest[:, 0]).columns["speaker"])
    right = (told == np.repeat(speakers[asked], 15)).mean()
    print(f"identified: {right:.1%} of {len(told)} recordings")

    # Update: a speaker records anew, under the name that was there.
    index.update(names[7, :1], voices[7, 19:], day=99)
    index.commit()
    print(names[7, 0], "is now:", index.get(names[7, :1]).columns)

    # Erase: a person's recordings, former ones too, leave no byte in any file.
    theirs = index.range_search(claims[:1], -1, where=("speaker = ?", [speakers[7]])).ids
    print("erased:", index.purge(theirs), "rows of", speakers[7])
    files = [file.read_bytes() for file in path.iterdir()]
    print("left:", [name for name in theirs if any(name.encode() in data for data in files)])
    index.close()
