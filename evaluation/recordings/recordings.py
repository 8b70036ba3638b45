"""Which recordings there are, and who speaks in each."""

import os
from itertools import pairwise
from pathlib import Path

from evaluation.command.errors import InputError
from evaluation.files.study_json import JSON
from evaluation.recordings.audio import EXTENSIONS
from evaluation.recordings.folders import AUTO, LAYOUTS, in_folder
from evaluation.recordings.found import FoundRecordings, Recording
from evaluation.recordings.labels import is_missing
from evaluation.recordings.lists import in_list, in_study_json


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
        found = in_folder(data, layout)
    elif data.suffix == JSON:
        found = in_study_json(data)
    else:
        found = in_list(data)
    if not found.recordings:
        first = f"; {found.skipped[0].name} {found.skipped[0].reason}" if found.skipped else ""
        raise InputError(
            f"{data}: no recordings ({', '.join(EXTENSIONS)}) in folders of speakers{first}"
        )
    _refuse_missing_names(data, found.recordings)
    _refuse_shared_names(data, found.recordings)
    return found


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
