"""Shards of an extraction made one: the files that an extraction without shards would write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.embeddings.extracted import (
    Entry,
    Extracted,
    manifest_path,
    read_extracted,
    refuse_other_extension,
    write_extracted,
)
from evaluation.extraction.journal import folder_of, refuse_other_model
from evaluation.extraction.seals import read_seal, refuse_other_extraction
from evaluation.extraction.shards import finished_shards
from evaluation.extraction.skipped import read_skipped, report_skipped


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An entry, and where its row is: in which shard, and at which place there."""

    entry: Entry
    shard: int
    place: int

    @property
    def key(self) -> tuple[str, str]:
        """What rows are in the order of, and no two share."""
        return self.entry.speaker, self.entry.utterance


def merge(out: Path) -> None:
    """Write the file of all shards beside it, its manifest and the list of what was skipped.

    Rows stay on the disk but for those of a batch; the shards stay as they are.
    """
    refuse_other_extension(out)
    if folder_of(out).exists():
        raise InputError(
            f"{out}: an extraction without --shard is unfinished; finish it, or remove "
            f"{folder_of(out)}"
        )
    shards = finished_shards(out)
    paths = [shard.path_of(out) for shard in shards]
    seals = [read_seal(path, shard) for path, shard in zip(paths, shards, strict=True)]
    refuse_other_extraction(out, seals)
    parts = [read_extracted(path, mapped=True) for path in paths]
    model, dim = parts[0].model, parts[0].rows.shape[1]
    for path, part in zip(paths, parts, strict=True):
        _refuse_other_model(paths[0], parts[0], path, part)
    skipped = [one for path in paths for one in read_skipped(path)]
    placed = sorted(
        (
            Placed(entry=entry, shard=number, place=place)
            for number, part in enumerate(parts)
            for place, entry in enumerate(part.entries)
        ),
        key=lambda one: one.key,
    )
    recordings = seals[0].recordings
    _refuse_second(paths, placed)
    if len(placed) + sum(seal.failed for seal in seals) != recordings:
        raise InputError(
            f"{out}: its shards must have {recordings} recordings, with a row or skipped; got "
            f"{len(placed)} with a row and {sum(seal.failed for seal in seals)} skipped"
        )
    if not placed:
        first = f"; {skipped[0].name} {skipped[0].reason}" if skipped else ""
        raise InputError(f"{out}: none of {recordings} recordings gave a row{first}")
    entries = [one.entry for one in placed]
    _refuse_loss(out, entries, model=model)
    write_extracted(out, _runs(parts, placed), entries, dim=dim, model=model)
    print(
        f"wrote {out}, {len(entries)} rows of {dim} values, and {manifest_path(out).name}, out of "
        f"{len(shards)} shards, which can be removed"
    )
    report_skipped(out, skipped)


def _runs(parts: Sequence[Extracted], placed: Sequence[Placed]) -> Iterator[NDArray[np.float32]]:
    """Yield the rows in order, those that lie behind each other in a shard together."""
    # Along such a run an entry's place grows as its number does.
    for (shard, _), run in groupby(
        enumerate(placed), key=lambda one: (one[1].shard, one[1].place - one[0])
    ):
        places = [one.place for _, one in run]
        yield np.asarray(parts[shard].rows[places[0] : places[-1] + 1], np.float32)


def _refuse_other_model(first: Path, expected: Extracted, path: Path, found: Extracted) -> None:
    for fact in {**expected.model, **found.model}:
        here, there = (one.model.get(fact, "none") for one in (expected, found))
        if here != there:
            raise InputError(
                f"{path}: holds rows of {fact} {there}, and {first.name} of {fact} {here}; shards "
                "must be of one model: extract one of them again"
            )
    if expected.rows.shape[1] != found.rows.shape[1]:
        raise InputError(
            f"{path}: holds rows of {found.rows.shape[1]} values, and {first.name} of "
            f"{expected.rows.shape[1]}; shards must be of one model: extract one of them again"
        )


def _refuse_second(paths: Sequence[Path], placed: Sequence[Placed]) -> None:
    for one, other in pairwise(placed):
        if one.key == other.key:
            raise InputError(
                f"{paths[other.shard]}: holds {'/'.join(other.key)}, which "
                f"{paths[one.shard].name} holds too; a recording must be in one shard"
            )


def _refuse_loss(out: Path, entries: Sequence[Entry], *, model: dict[str, str]) -> None:
    """Raise InputError where a file would be replaced that has other rows."""
    if not out.exists():
        return
    before = read_extracted(out, mapped=True)
    refuse_other_model(out, found=before.model, asked=model)
    kept = {(entry.speaker, entry.utterance, entry.path, entry.bytes) for entry in entries}
    lost = [
        entry.path
        for entry in before.entries
        if (entry.speaker, entry.utterance, entry.path, entry.bytes) not in kept
    ]
    if lost:
        raise InputError(
            f"{out}: holds {len(lost)} recordings that its shards do not have, or not as they "
            f"were, first {lost[0]}: give another --out, or remove it"
        )
