"""Which recordings there are, and who speaks in each."""

import csv
import os
import re
import stat
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from evaluation.command.errors import InputError
from evaluation.files.reading import reading, refuse_second, text_of
from evaluation.files.study_json import JSON, study_items
from evaluation.recordings.audio import EXTENSIONS
from evaluation.recordings.labels import is_missing

# How the folder of a speaker is called in the corpora whose folders lie at any depth.
SPEAKER_FOLDERS = {
    # VoxCeleb: id10270/5r0dWxy17C8/00001.wav, below wav/ or dev/aac/ and the like.
    "voxceleb": re.compile(r"id\d{5}"),
    # VoxTube: a channel of YouTube, UC0123456789abcdefghijkl/0GSmioPWEQo/segment_15.wav.
    "voxtube": re.compile(r"UC[\w-]{22}"),
}
FOLDERS = "folders"
AUTO = "auto"
LAYOUTS = (AUTO, FOLDERS, *SPEAKER_FOLDERS)
COLUMNS = ("speaker", "path")


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One file: `name` is its path as `--data` gives it, `size` its bytes."""

    speaker: str
    utterance: str
    name: str
    path: Path
    size: int


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file, or a link to a folder, that gives no embedding, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class FoundRecordings:
    """The recordings in the order of their speakers and utterances, and what else was met."""

    recordings: list[Recording]
    skipped: list[Skipped]


def find_recordings(data: Path, *, layout: str = AUTO) -> FoundRecordings:
    """Return the recordings below a folder, or those that a file lists.

    Below a folder, the layout says which part of a path names the speaker: the first folder, or
    the one that a corpus names in its own way; the utterance is what follows, without extension.
    A CSV file has the columns speaker and path, and may have utterance; paths are relative to it.
    A .json file is of the published separation study: its spk and audio are the speaker and path.
    """
    if layout not in LAYOUTS:
        raise InputError(f"layout must be one of {', '.join(LAYOUTS)}; got '{layout}'")
    if os.path.isdir(data):
        found = _in_folder(data, layout)
    elif data.suffix == JSON:
        found = _in_study_json(data)
    else:
        found = _in_list(data)
    if not found.recordings:
        first = f"; {found.skipped[0].name} {found.skipped[0].reason}" if found.skipped else ""
        raise InputError(
            f"{data}: no recordings ({', '.join(EXTENSIONS)}) in folders of speakers{first}"
        )
    _refuse_missing_names(data, found.recordings)
    _refuse_shared_names(data, found.recordings)
    return found


def _in_folder(root: Path, layout: str) -> FoundRecordings:
    skipped: list[Skipped] = []
    paths = [PurePosixPath(path.relative_to(root)) for path in _audio_files(root, skipped)]
    if layout == AUTO:
        layout = next(
            (
                name
                for name, pattern in SPEAKER_FOLDERS.items()
                if paths and all(_place(path, pattern) is not None for path in paths)
            ),
            FOLDERS,
        )
    recordings: list[Recording] = []
    for path in paths:
        place = _place(path, SPEAKER_FOLDERS.get(layout, re.compile(".*")))
        if place is None:
            skipped.append(Skipped(name=str(path), reason="lies in no folder of a speaker"))
            continue
        utterance = PurePosixPath(*path.parts[place + 1 :]).with_suffix("")
        _add(
            recordings,
            skipped,
            speaker=path.parts[place],
            utterance=str(utterance),
            name=str(path),
            path=root / path,
        )
    return _sorted(recordings, skipped)


def _place(path: PurePosixPath, pattern: re.Pattern[str]) -> int | None:
    """Which part of the path names the speaker."""
    return next((i for i, part in enumerate(path.parts[:-1]) if pattern.fullmatch(part)), None)


def _audio_files(root: Path, skipped: list[Skipped]) -> Iterator[Path]:
    """Yield the recordings; a folder is entered once, by its own name rather than a link's."""

    def unreadable(error: OSError) -> None:
        name = _readable(Path(error.filename).relative_to(root))
        skipped.append(Skipped(name=name, reason=f"cannot be opened: {error.strerror}"))

    entered: dict[str, Path] = {}
    # Links to folders are followed, for corpora are often put together from them, but last.
    starts = deque([root])
    while starts:
        for name, folders, files in os.walk(starts.popleft(), onerror=unreadable):
            folder = Path(name)
            known = entered.setdefault(os.path.realpath(folder), folder)
            if known != folder:
                folders.clear()
                here, there = (_readable(path.relative_to(root)) for path in (folder, known))
                reason = f"leads to '{there}', whose recordings are taken there"
                skipped.append(Skipped(name=here, reason=reason))
                continue
            folders.sort()
            starts.extend(folder / one for one in folders if (folder / one).is_symlink())
            for one in files:
                # Names with a leading dot are what systems leave beside files, not recordings.
                if Path(one).suffix.lower() in EXTENSIONS and not one.startswith("."):
                    yield folder / one


def _in_list(path: Path) -> FoundRecordings:
    recordings: list[Recording] = []
    skipped: list[Skipped] = []
    places: dict[Hashable, int] = {}
    with text_of(path) as file, reading(path, "CSV file", csv.Error, ValueError):
        rows = csv.DictReader(file)
        columns = [*(rows.fieldnames or [])]
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise InputError(
                f"{path}: must have the columns {' and '.join(COLUMNS)}; "
                f"{' and '.join(missing)} missing, found {', '.join(columns)}"
            )
        heads: dict[Hashable, int] = {}
        for number, name in enumerate(columns, start=1):
            refuse_second(heads, name, path, f"column '{name}'", unit="column", number=number)
        for row in rows:
            speaker, name = row["speaker"] or "", row["path"] or ""
            if not (speaker.strip() and name.strip()):
                raise InputError(
                    f"{path}, line {rows.line_num}: speaker and path must not be empty"
                )
            place = PurePosixPath(name)
            refuse_second(places, place, path, f"path '{name}'", unit="line", number=rows.line_num)
            _add(
                recordings,
                skipped,
                speaker=speaker,
                utterance=row.get("utterance") or _utterance(place, speaker),
                name=name,
                path=path.parent / name,
            )
    return _sorted(recordings, skipped)


def _in_study_json(path: Path) -> FoundRecordings:
    recordings: list[Recording] = []
    skipped: list[Skipped] = []
    for item in study_items(path):
        _add(
            recordings,
            skipped,
            speaker=item.speaker,
            utterance=_utterance(PurePosixPath(item.audio), item.speaker),
            name=item.audio,
            path=path.parent / item.audio,
        )
    return _sorted(recordings, skipped)


def _utterance(path: PurePosixPath, speaker: str) -> str:
    return str(path.with_suffix("")).removeprefix(f"{speaker}/")


def _add(
    recordings: list[Recording],
    skipped: list[Skipped],
    *,
    speaker: str,
    utterance: str,
    name: str,
    path: Path,
) -> None:
    try:
        name.encode()
        status = path.stat()
    except UnicodeEncodeError:
        skipped.append(Skipped(name=_readable(name), reason="has a name that is not UTF-8"))
    except OSError as error:
        skipped.append(Skipped(name=name, reason=f"cannot be opened: {error.strerror}"))
    else:
        # To open a pipe is to wait for who writes to it, and a device has no end.
        if not stat.S_ISREG(status.st_mode):
            skipped.append(Skipped(name=name, reason="is no file, but a folder, pipe or device"))
            return
        recordings.append(
            Recording(
                speaker=speaker, utterance=utterance, name=name, path=path, size=status.st_size
            )
        )


def _readable(name: object) -> str:
    """Return a path with a sign for each byte that is not UTF-8."""
    return str(name).encode(errors="surrogateescape").decode(errors="replace")


def _sorted(recordings: list[Recording], skipped: list[Skipped]) -> FoundRecordings:
    return FoundRecordings(
        recordings=sorted(recordings, key=lambda r: (r.speaker, r.utterance, r.name)),
        skipped=sorted(skipped, key=lambda s: s.name),
    )


def _refuse_missing_names(data: Path, recordings: list[Recording]) -> None:
    for one in recordings:
        for what, label in (("speaker", one.speaker), ("utterance", one.utterance)):
            if is_missing(label):
                raise InputError(
                    f"{data}: every recording must have a speaker and utterance; the {what} of "
                    f"{one.name} is '{label}', which stands for none"
                )


def _refuse_shared_names(data: Path, recordings: list[Recording]) -> None:
    for first, second in pairwise(recordings):
        if (first.speaker, first.utterance) == (second.speaker, second.utterance):
            raise InputError(
                f"{data}: every recording must have a speaker and utterance of its own; "
                f"{first.name} and {second.name} are both {first.speaker}/{first.utterance}"
            )
