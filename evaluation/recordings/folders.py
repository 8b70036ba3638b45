"""Recordings that lie in folders of their speakers."""

import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from evaluation.recordings.audio import EXTENSIONS
from evaluation.recordings.found import FoundRecordings, Met, readable

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


def in_folder(root: Path, layout: str) -> FoundRecordings:
    """Return the recordings below a folder, whose layout names the speakers."""
    met = Met()
    paths = [PurePosixPath(path.relative_to(root)) for path in _audio_files(root, met)]
    if layout == AUTO:
        layout = next(
            (
                name
                for name, pattern in SPEAKER_FOLDERS.items()
                if paths and all(_place(path, pattern) is not None for path in paths)
            ),
            FOLDERS,
        )
    for path in paths:
        place = _place(path, SPEAKER_FOLDERS.get(layout, re.compile(".*")))
        if place is None:
            met.skip(path, "lies in no folder of a speaker")
            continue
        utterance = PurePosixPath(*path.parts[place + 1 :]).with_suffix("")
        met.add(
            speaker=path.parts[place],
            utterance=str(utterance),
            name=str(path),
            path=root / path,
        )
    return met.found()


def _place(path: PurePosixPath, pattern: re.Pattern[str]) -> int | None:
    """Which part of the path names the speaker."""
    return next((i for i, part in enumerate(path.parts[:-1]) if pattern.fullmatch(part)), None)


def _audio_files(root: Path, met: Met) -> Iterator[Path]:
    """Yield the recordings; a folder is entered once, by its own name rather than a link's."""

    def unreadable(error: OSError) -> None:
        name = Path(error.filename).relative_to(root)
        met.skip(name, f"cannot be opened: {error.strerror}")

    entered: dict[str, Path] = {}
    # Links to folders are followed, for corpora are often put together from them, but last.
    starts = deque([root])
    while starts:
        for name, folders, files in os.walk(starts.popleft(), onerror=unreadable):
            folder = Path(name)
            known = entered.setdefault(os.path.realpath(folder), folder)
            if known != folder:
                folders.clear()
                there = readable(known.relative_to(root))
                reason = f"leads to '{there}', whose recordings are taken there"
                met.skip(folder.relative_to(root), reason)
                continue
            folders.sort()
            starts.extend(folder / one for one in folders if (folder / one).is_symlink())
            for one in files:
                # Names with a leading dot are what systems leave beside files, not recordings.
                if Path(one).suffix.lower() in EXTENSIONS and not one.startswith("."):
                    yield folder / one
