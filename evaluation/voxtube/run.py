"""From a copy of the data set to folders of speakers: choose clips, write them, count the rest."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.command.errors import InputError, message_text
from evaluation.extraction.progress import Progress
from evaluation.recordings.audio import UnreadableError
from evaluation.voxtube.clips import Clips, Columns, Label
from evaluation.voxtube.folders import SpeakerFolders
from evaluation.voxtube.manifest import CSV, LINES, ListedClips
from evaluation.voxtube.parquet import PARQUET, ParquetClips
from evaluation.voxtube.sounds import as_wav

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class VoxtubeOptions:
    """What the command line asks for: of each speaker of a language the first so many clips."""

    data: Path
    out: Path
    columns: Columns
    split: str
    language: str
    clips: int
    keep_few: bool


@dataclass(kw_only=True)
class _Counts:
    """What there is: clips of each speaker, and those of other languages."""

    clips: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)


def run(options: VoxtubeOptions) -> None:
    """Write the folders, and print how many clips were left out and why.

    What a former run has written is kept.
    """
    if options.clips < 1:
        raise InputError(f"--clips must be at least 1; got {options.clips}")
    clips = clips_of(options.data, split=options.split, columns=options.columns)
    counts = _counted(clips, options.language)
    if not counts.clips:
        raise InputError(
            f"{options.data}: must have clips of the language '{options.language}'; found "
            f"{', '.join(sorted(counts.languages)) or 'no clips'}"
        )
    least = 1 if options.keep_few else options.clips
    chosen = {name: number for name, number in counts.clips.items() if number >= least}
    folders = SpeakerFolders(out=options.out)
    folders.prepare()
    whole = {
        name
        for name, number in chosen.items()
        if folders.is_whole(name, clips=options.clips, there=number)
    }
    written, unreadable = _write(clips, options, chosen, whole, folders)
    kept = {name: number for name, number in written.items() if number >= least}
    for name, number in kept.items():
        folders.finish(name, clips=number)
    folders.close(chosen)
    kept |= {name: min(options.clips, chosen[name]) for name in whole}
    print(f"{options.out} has {sum(kept.values()):,} clips of {len(kept):,} speakers")
    _tell(options, counts, kept, unreadable)


def clips_of(data: Path, *, split: str, columns: Columns) -> Clips:
    """Return the clips of a shard or a list, or of a split's shards in a folder, by their names."""
    if data.suffix in (CSV, LINES):
        return ListedClips(path=data, columns=columns)
    if not data.is_dir():
        if data.suffix != PARQUET:
            raise InputError(f"{data}: must be a folder, or end in {PARQUET}, {CSV} or {LINES}")
        return ParquetClips(shards=[data], columns=columns)
    every = sorted(data.rglob(f"*{PARQUET}"))
    shards = [one for one in every if one.stem.startswith(split) or one.parent.name == split]
    if not shards:
        raise InputError(
            f"{data}: must hold {PARQUET} files that begin with '{split}', or lie in a folder of "
            f"that name; found {', '.join(one.name for one in every[:SHOWN]) or 'none'}"
        )
    return ParquetClips(shards=shards, columns=columns)


def _counted(clips: Clips, language: str) -> _Counts:
    counts = _Counts()
    for label in clips.labels():
        if label.language == language:
            counts.clips[label.speaker] += 1
        else:
            counts.languages[label.language] += 1
    return counts


def _write(
    clips: Clips,
    options: VoxtubeOptions,
    chosen: dict[str, int],
    whole: set[str],
    folders: SpeakerFolders,
) -> tuple[Counter[str], list[str]]:
    """Return how many clips each speaker has, but those who are whole, and what is unreadable."""
    written: Counter[str] = Counter()
    unreadable: list[str] = []
    wholes = sum(min(options.clips, chosen[name]) for name in whole)
    total = sum(min(options.clips, number) for number in chosen.values())

    def wanted(label: Label) -> bool:
        speaker = label.speaker
        is_open = speaker in chosen and speaker not in whole
        return is_open and label.language == options.language and written[speaker] < options.clips

    with Progress(total=total, done=wholes) as progress:
        for label, sound in clips.sounds(wanted):
            number = written[label.speaker] + 1
            try:
                # Also of a clip that is there: its number depends on which can be read.
                content = as_wav(sound())
            except UnreadableError as error:
                unreadable.append(f"{label.place}: {error}")
                continue
            if not folders.has(label.speaker, number):
                folders.write(label.speaker, number, content)
            written[label.speaker] = number
            progress.advance(1)
    return written, unreadable


def _tell(
    options: VoxtubeOptions, counts: _Counts, kept: dict[str, int], unreadable: list[str]
) -> None:
    left = {name: number for name, number in counts.clips.items() if name not in kept}
    beyond = sum(counts.clips[name] - number for name, number in kept.items())
    unread = len(unreadable)
    print(f"left out: {sum(counts.languages.values()):,} clips of other languages")
    print(f"  {beyond:,} clips beyond the first {options.clips} of a speaker, or unreadable")
    print(f"  {sum(left.values()):,} clips of {len(left):,} speakers with fewer")
    print(f"  {unread:,} clips among these that could not be read{':' if unread else ''}")
    for one in unreadable[:SHOWN]:
        print(message_text(f"    {one}"))
    if unread > SHOWN:
        print(f"    and {unread - SHOWN:,} more")
