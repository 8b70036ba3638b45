"""What a shard says of itself once it is finished, so that shards of two extractions never mix.

The seal is written last: where it is, the files of the shard are whole, and none has changed whose
SHA-256 it tells.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from evaluation.command.errors import InputError
from evaluation.extraction.shards import Shard
from evaluation.extraction.skipped import skipped_path
from evaluation.files.reading import opened, reading, sha256_of
from evaluation.files.writing import write_whole
from evaluation.recordings.found import Recording
from minifloat.files.headers import once_each


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A shard, what all shards have in common, and what is in its files.

    The `recordings` are those of all shards, and their SHA-256 is of their names and sizes;
    `failed` of the shard's own have no row.
    """

    shard: int
    shards: int
    batch: int
    recordings: int
    recordings_sha256: str
    failed: int
    file_sha256: str
    skipped_sha256: str


def seal_path(out: Path) -> Path:
    """Return where the seal of a shard's file lies."""
    return out.with_suffix(".json")


def write_seal(
    out: Path, shard: Shard, recordings: Sequence[Recording], *, batch: int, failed: int
) -> None:
    """Seal the file of a shard, its manifest and its list of what was skipped."""
    lines = hashlib.sha256()
    for one in recordings:
        lines.update(json.dumps([one.speaker, one.utterance, one.name, one.size]).encode())
    seal = Seal(
        shard=shard.number,
        shards=shard.count,
        batch=batch,
        recordings=len(recordings),
        recordings_sha256=lines.hexdigest(),
        failed=failed,
        file_sha256=sha256_of(out),
        skipped_sha256=_of_list(skipped_path(out)),
    )
    write_whole(seal_path(out), json.dumps(asdict(seal)) + "\n")


def read_seal(out: Path, shard: Shard) -> Seal:
    """Return the seal of a shard's file; InputError for a broken one."""
    path, again = seal_path(out), f"remove it, and run extract with --shard {shard} again"
    with opened(path) as file, reading(path, "seal of a shard", ValueError, TypeError):
        try:
            seal = Seal(**json.loads(file.read(), object_pairs_hook=once_each))
        except RecursionError as error:
            raise ValueError(str(error)) from error
    if any(type(getattr(seal, field.name)) is not field.type for field in fields(Seal)):
        raise InputError(f"{path}: not a readable seal of a shard (a value of another type)")
    if (seal.shard, seal.shards) != (shard.number, shard.count):
        raise InputError(
            f"{path}: must be of shard {shard}; it is of {seal.shard}/{seal.shards}: {again}"
        )
    changed = [out] if sha256_of(out) != seal.file_sha256 else []
    if _of_list(skipped_path(out)) != seal.skipped_sha256:
        changed.append(skipped_path(out))
    if changed:
        raise InputError(f"{changed[0]}: has changed since the shard was finished; {again}")
    return seal


def refuse_other_extraction(out: Path, seals: Sequence[Seal]) -> None:
    """Raise InputError for shards of other recordings, or of batches of another size."""
    first = seals[0]
    for seal in seals:
        here, there = (f"shard {one.shard}/{one.shards}" for one in (first, seal))
        again = "extract one of them again"
        if seal.batch != first.batch:
            raise InputError(
                f"{out}: its shards must have one --batch; {here} has {first.batch} and {there} "
                f"{seal.batch}: {again}"
            )
        if seal.recordings != first.recordings:
            raise InputError(
                f"{out}: its shards must be of the same recordings; {here} is of "
                f"{first.recordings} and {there} of {seal.recordings}: {again}"
            )
        if seal.recordings_sha256 != first.recordings_sha256:
            raise InputError(
                f"{out}: its shards must be of the same recordings; of the {seal.recordings} of "
                f"{there} some are not those of {here}, or not as they were: {again}"
            )


def _of_list(path: Path) -> str:
    """Return the SHA-256 of a list of what was skipped; nothing where nothing was."""
    return sha256_of(path) if path.exists() else ""
