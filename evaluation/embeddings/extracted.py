"""What extraction leaves and the studies read: rows in a safetensors file, a manifest beside it."""

import codecs
import csv
import hashlib
import io
import json
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from evaluation.command.errors import InputError
from evaluation.files.formulas import guarded, unguarded
from evaluation.files.reading import opened, reading, refuse_second
from evaluation.files.writing import write_whole, written_whole
from minifloat.files.headers import described, once_each

EXTENSION = ".safetensors"
ARRAY = "embeddings"
# One entry of metadata: safetensors would write several in a random order.
METADATA = "extracted"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the manifest: who says what in which file, how long, and the file's bytes."""

    speaker: str
    utterance: str
    path: str
    seconds: float
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """Rows (rows, dim) with an entry for each, and what the model calls itself."""

    rows: NDArray[np.generic]
    entries: list[Entry]
    model: dict[str, str]


def refuse_other_extension(out: Path) -> None:
    """Raise InputError for an output file that is not named as one."""
    if out.suffix != EXTENSION:
        raise InputError(f"--out must end in {EXTENSION}; got '{out}'")


def manifest_path(path: Path) -> Path:
    """Return where the manifest of a safetensors file lies."""
    return path.with_suffix(".csv")


def write_extracted(
    path: Path,
    blocks: Iterable[NDArray[np.float32]],
    entries: Sequence[Entry],
    *,
    dim: int,
    model: Mapping[str, str],
) -> None:
    """Write the file and its manifest, each whole or not at all.

    `blocks` are the rows (some, dim) of the entries, in their order, so that never all of them need
    be in memory.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Entry)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: guarded(one) if isinstance(one, str) else one for name, one in asdict(entry).items()}
        for entry in entries
    )
    digest = hashlib.sha256(text.getvalue().encode()).hexdigest()
    making = json.dumps({"model": dict(model), "manifest_sha256": digest})
    with written_whole(path) as file:
        file.write(_header((len(entries), dim), making))
        for block in blocks:
            file.write(np.ascontiguousarray(block, "<f4").data)
        # Last, so that what was there before keeps its own until the rows are there.
        write_whole(manifest_path(path), text.getvalue())


def _header(shape: tuple[int, int], making: str) -> bytes:
    """Return what safetensors' own writer, which takes all rows at once, puts before them."""
    array = {"dtype": "F32", "shape": shape, "data_offsets": (0, 4 * shape[0] * shape[1])}
    described = {"__metadata__": {METADATA: making}, ARRAY: array}
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def read_extracted(path: Path, *, mapped: bool = False) -> Extracted:
    """Return what was extracted into a file, after a look whether its manifest belongs to it.

    Rows that are `mapped` stay on the disk until they are looked at.
    """
    # Of types that it does not know NumPy says so in one of the last two.
    unreadable = (SafetensorError, ValueError, TypeError, AttributeError)
    with opened(path) as start, reading(path, "safetensors file", *unreadable):
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            names = list(file.keys())
            if ARRAY not in names or METADATA not in metadata:
                raise InputError(
                    f"{path}: must hold what python -m evaluation extract writes; "
                    f"found {', '.join(names) or 'nothing'}"
                )
            rows = np.empty(0) if mapped else file.get_tensor(ARRAY)
        array = described(start)[ARRAY]
        if mapped:
            rows = _mapped(start, array)
    making = _making(path, metadata[METADATA])
    entries, digest = _read_manifest(manifest_path(path))
    if making["manifest_sha256"] != digest or len(entries) != len(rows):
        raise InputError(
            f"{manifest_path(path)}: must be the manifest that was written with {path.name}; "
            f"it has changed or is another one ({len(entries)} lines for {len(rows)} rows)"
        )
    return Extracted(rows=rows, entries=entries, model=making["model"])


def _mapped(file: IO[bytes], array: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return the rows of a file that was read up to the end of its header."""
    if array["dtype"] != "F32" or len(array["shape"]) != 2:
        raise ValueError(f"rows are {array['dtype']} of shape {tuple(array['shape'])}")
    if 0 in array["shape"]:
        return np.empty(array["shape"], np.float32)
    offset = file.tell() + array["data_offsets"][0]
    return np.memmap(file, "<f4", "r", offset=offset, shape=tuple(array["shape"]))


def _making(path: Path, text: str) -> dict[str, Any]:
    """Return what a file says of its model and its manifest."""
    try:
        found = json.loads(text, object_pairs_hook=once_each)
        texts = [found["manifest_sha256"], *found["model"], *found["model"].values()]
    # Of lists in lists without end there is a RecursionError.
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: {METADATA} must tell its model and manifest ({error})"
        ) from error
    if not all(isinstance(one, str) for one in texts):
        raise InputError(f"{path}: {METADATA} must tell its model and manifest in texts")
    making: dict[str, Any] = found
    return making


def _read_manifest(path: Path) -> tuple[list[Entry], str]:
    if not os.path.exists(path):
        raise InputError(f"{path}: no such file; it is written beside the embeddings")
    seen: dict[Hashable, int] = {}
    entries: list[Entry] = []
    unreadable = (KeyError, TypeError, ValueError, AttributeError, csv.Error)
    with opened(path) as file, reading(path, "manifest", *unreadable):
        content = file.read().removeprefix(codecs.BOM_UTF8)
        lines = csv.DictReader(io.StringIO(content.decode(), newline=""))
        for line in lines:
            entry = Entry(
                speaker=unguarded(line["speaker"]),
                utterance=unguarded(line["utterance"]),
                path=unguarded(line["path"]),
                seconds=float(line["seconds"]),
                bytes=int(line["bytes"]),
            )
            key = entry.speaker, entry.utterance
            refuse_second(seen, key, path, "/".join(key), unit="line", number=lines.line_num)
            entries.append(entry)
    return entries, hashlib.sha256(content).hexdigest()
