"""Shards of an extraction: parts of the recordings that run by themselves, on any machine."""

import re
from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.command.errors import InputError
from evaluation.embeddings.extracted import EXTENSION
from evaluation.recordings.found import Recording

_TEXT = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")
# The end of a shard's files: what it writes, its seal, and its journal.
_ENDS = re.compile(r"-shard-([1-9][0-9]*)-of-([1-9][0-9]*)(\.safetensors|\.json|\.unfinished)")
SHOWN = 5


@dataclass(frozen=True, order=True)
class Shard:
    """One of `count` parts of the recordings; `number` counts from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Return what I/N says."""
        match = _TEXT.fullmatch(text)
        number, count = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= count:
            raise ArgumentTypeError(
                f"must be I/N, such as 2/8, with I from 1 to N and N below 1,000,000; got '{text}'"
            )
        return cls(number, count)

    def __str__(self) -> str:
        """Return what `parse` takes."""
        return f"{self.number}/{self.count}"

    def path_of(self, out: Path) -> Path:
        """Return what the shard writes of an output file: FILE-shard-2-of-8.safetensors."""
        return out.with_name(f"{out.stem}-shard-{self.number}-of-{self.count}{EXTENSION}")

    def part(self, recordings: Sequence[Recording], *, batch: int) -> list[Recording]:
        """Return its recordings: every `count`-th batch of so many.

        Batches stay those of an extraction without shards, for with some models rows depend on
        what shares a batch; taken in turn, they are of all speakers.
        """
        first, step = (self.number - 1) * batch, self.count * batch
        return [
            recording
            for start in range(first, len(recordings), step)
            for recording in recordings[start : start + batch]
        ]


def finished_shards(out: Path) -> list[Shard]:
    """Return all shards of an output file, whose files lie beside it.

    InputError names those that are not finished, and tells of shards of more than one number.
    """
    found: dict[Shard, set[str]] = {}
    for path in out.parent.iterdir() if out.parent.is_dir() else ():
        match = _ENDS.fullmatch(path.name.removeprefix(out.stem))
        if match and path.name.startswith(out.stem):
            shard = Shard(int(match[1]), int(match[2]))
            found.setdefault(shard, set()).add(match[3])
    counts = sorted({shard.count for shard in found})
    if not counts:
        raise InputError(
            f"{out}: no shards beside it, such as {Shard(1, 8).path_of(out).name}; "
            "extract --shard I/N writes them"
        )
    if len(counts) > 1:
        raise InputError(
            f"{out}: its shards must be of one number; found shards of "
            f"{' and of '.join(map(str, counts))}: remove those of the other extraction"
        )
    every = [Shard(number, counts[0]) for number in range(1, counts[0] + 1)]
    whole = {EXTENSION, ".json"}
    left = [shard for shard in every if found.get(shard) != whole]
    if left:
        states = [f"{one} is {'begun' if one in found else 'absent'}" for one in left[:SHOWN]]
        states += [f"and {len(left) - SHOWN} more"] if len(left) > SHOWN else []
        raise InputError(
            f"{out}: all {counts[0]} shards must be finished; {len(left)} are not: "
            f"{', '.join(states)}; run extract with --shard {left[0]}"
        )
    return every
