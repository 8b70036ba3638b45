"""What was erased is in no file."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import UUID

import pytest
import torch

import minifloat as mf
from minifloat.index import Index
from minifloat.index.rows import blocks
from tests.index.model import DIM, IDS

ROWS = 1500


def left(folder: Path, wanted: list[bytes]) -> list[str]:
    """Return where bytes are in the files of a folder."""
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    return [f"{name}: {one!r}" for name, data in contents.items() for one in wanted if one in data]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("in_files", [False, True])
@pytest.mark.parametrize("kind", list(IDS))
def test_nothing_is_left_of_what_was_erased(
    tmp_path: Path, kind: str, in_files: bool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_files:
        for name, rows in (("UNIT", 64), ("SEALED", 256), ("MOST", 512)):
            monkeypatch.setattr(blocks, name, rows)
    chance = random.Random(seed)
    # Numbers of eight bytes that nothing else has.
    numbers = [chance.getrandbits(61) for _ in range(ROWS)]
    ids = [IDS[kind](number) if kind != "integer" else number for number in numbers]
    x = torch.randn(ROWS, DIM, generator=torch.Generator().manual_seed(seed))
    codes = mf.quantize(x, "e3m4").codes
    notes = [f"note {chance.getrandbits(64):x}" for _ in ids]
    index = Index.create(tmp_path / "a", DIM, "e3m4", columns={"note": "text indexed"})
    first = 0
    while first < ROWS:
        end = min(ROWS, first + chance.choice((1, 30, 300)))
        index.add(ids[first:end], x[first:end], note=notes[first:end])
        index.commit()
        first = end
    gone = chance.sample(range(ROWS), 40)
    index.remove([ids[i] for i in gone[:10]])
    index.upsert([ids[gone[10]]], x[gone[10]].unsqueeze(0), note=notes[gone[10]])
    index.commit()

    def written(some: list[int]) -> list[bytes]:
        sides = [numbers[i].to_bytes(8, order) for i in some for order in ("little", "big")]
        texts = [str(ids[i]).encode() for i in some] + [notes[i].encode() for i in some]
        uuids = [UUID(str(ids[i])).bytes for i in some] if kind == "uuid" else []
        own = [codes[i].numpy().tobytes() for i in some]
        return own + texts + uuids + (sides if kind == "integer" else [])

    assert left(tmp_path / "a", written(gone))
    before = index.search(
        x[:20], 5, where=f"note NOT IN ({', '.join(repr(notes[i]) for i in gone)})"
    )
    assert index.purge([ids[i] for i in gone]) == len(gone) + 1
    assert left(tmp_path / "a", written(gone)) == []
    after = index.search(x[:20], 5)
    assert torch.equal(torch.as_tensor(before[0]), torch.as_tensor(after[0]))
    assert index.check() == []
    assert len(index) == ROWS - len(gone)
    with pytest.raises(KeyError, match="40 of 40 ids are not in the index"):
        index.purge([ids[i] for i in gone])
    more = [i for i in range(0, ROWS, 40) if i not in gone]
    index.remove([ids[i] for i in more])
    index.commit()
    assert index.stats().removed == len(more)
    assert index.stats().removed_since is not None
    index.compact(erase=True)
    assert left(tmp_path / "a", written(more)) == []
    assert index.stats().removed == 0
    index.close()
    assert left(tmp_path / "a", written([*gone, *more])) == []
    assert len(Index.open(tmp_path / "a", verify=True)) == ROWS - len(gone) - len(more)
