"""Files of rows and of ids, and the index of them that one process builds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

import minifloat as mf
from minifloat.distributed.building.sources import Given
from minifloat.index import Index

DIM = 24
ROWS = 140_000

# Where one source ends and the next begins: within files, where these end, and at once.
ENDS = (5, 5, 66_000, 70_001, ROWS)

X = torch.randn(ROWS + 1000, DIM, generator=torch.Generator().manual_seed(1)) + 0.5
SHUFFLED = (torch.randperm(ROWS, generator=torch.Generator().manual_seed(2)) * 7 - 20).numpy()

IDS: dict[str, Callable[[], Any]] = {
    "running": lambda: np.arange(ROWS),
    "integers": lambda: SHUFFLED,
    "texts": lambda: np.array([f"speaker {number}\u00e9" for number in SHUFFLED.tolist()]),
    "uuids": lambda: [UUID(int=number + 2**70) for number in SHUFFLED.tolist()],
}

FRAME = mf.Frame.fit(X[:2000], axes=2, feedback="force")

# How indexes are built: by how many ranks, with which ids, in which format, and how else.
CASES: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    "one": (1, "running", "e2m1", {}),
    "two": (2, "integers", "e4m3", {"estimator": "unbiased", "scale": "cosine"}),
    "three": (3, "texts", "e2m3", {"frame": FRAME, "rounding": "feedback", "errors": True}),
    "four": (4, "running", "e2m1", {"frame": FRAME}),
    "uuids": (4, "uuids", "e5m2", {"errors": True}),
    "packed": (2, "running", "e2m1", {"frame": FRAME, "errors": True}),
}


def parts(of: Any) -> list[Any]:
    """Return those of each source, of rows or of ids."""
    return [of[first:end] for first, end in zip((0, *ENDS), ENDS, strict=False)]


def rows_of_sources() -> list[Tensor]:
    """Return the rows of each source, as its file has them."""
    few, none, many, only, rest = parts(X)
    return [few, none, many.half(), only.bfloat16(), rest.double()]


def write(folder: Path) -> None:
    """Write all files."""
    few, none, many, only, rest = rows_of_sources()
    np.save(folder / "few.npy", few.numpy())
    np.save(folder / "none.npy", none.numpy())
    save_file({"of": many.contiguous(), "more": many[:3].clone()}, folder / "many.safetensors")
    save_file({"of": only.contiguous(), "n": torch.zeros(3)}, folder / "only.safetensors")
    np.save(folder / "rest.npy", np.asfortranarray(rest.numpy()))
    for rows, file in zip(rows_of_sources(), packed_sources(folder), strict=True):
        mf.quantize(rows, CASES["packed"][2], **CASES["packed"][3]).save(str(file))
    for kind in ("integers", "texts"):
        for number, some in enumerate(parts(IDS[kind]())):
            np.save(folder / f"{kind}-{number}.npy", some)


def sources(folder: Path) -> list[Given]:
    """Return files of float rows."""
    many = (folder / "many.safetensors", "of")
    files = [folder / name for name in ("few.npy", "none.npy", "only.safetensors", "rest.npy")]
    return [str(files[0]), files[1], many, *files[2:]]


def packed_sources(folder: Path) -> list[Given]:
    """Return files of packed rows."""
    return [folder / f"packed-{number}.safetensors" for number in range(len(ENDS))]


def given_ids(folder: Path, kind: str) -> list[Any] | None:
    """Return ids as a build takes them, of each source: files where there are."""
    if kind == "running":
        return None
    of_each = parts(IDS[kind]())
    if kind == "uuids":
        return of_each
    return [of_each[0], *(folder / f"{kind}-{number}.npy" for number in range(1, len(ENDS)))]


def by_one(ids: Any, format: str, **how: Any) -> Index:
    """Return the index of all rows that one process builds, in memory."""
    index = Index.create(None, DIM, format, **how)
    for some, rows in zip(parts(ids), rows_of_sources(), strict=True):
        index.add(some, rows)
    index.commit()
    return index


def difference(built: Index, index: Index) -> list[str]:
    """Return in what one index is not as another."""
    (one,), (other,) = ([*some.batches(ROWS)] for some in (built, index))
    queries = X[ROWS:][:20]
    same = {
        "files": built.check() == [],
        "ids": list(one.ids) == list(other.ids),
        "rows": one.vectors == other.vectors,
        "errors": _are_equal(one.vectors.errors, other.vectors.errors),
        "figures": _figures(built) == _figures(index),
        "answers": all(map(_are_equal, built.search(queries, 9), index.search(queries, 9))),
    }
    return [name for name, is_same in same.items() if not is_same]


def _figures(index: Index) -> list[Any]:
    told = index.stats()
    return [told.rows, told.format, told.frame, told.ids, told.version, told.oldest_version]


def _are_equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    return bool(np.array_equal(one, other))
