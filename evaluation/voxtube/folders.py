"""Folders of speakers that stand under their names once they are whole."""

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evaluation.command.errors import InputError
from evaluation.files.writing import make_folder, written_whole
from evaluation.voxtube.sounds import WAV

# A name of a data set is the name of a folder, and no way to another one.
_NAME = re.compile(r"[\w-][\w.-]{0,199}")


@dataclass(frozen=True, kw_only=True)
class SpeakerFolders:
    """Folders SPEAKER/1.wav to N.wav below `out`; those in the making lie beside it."""

    out: Path

    @property
    def unfinished(self) -> Path:
        """Where folders lie that are in the making."""
        return self.out.with_name(f"{self.out.name}.unfinished")

    def prepare(self) -> None:
        """Make the folders; InputError if files cannot be written to them."""
        if self.unfinished.is_symlink():
            raise InputError(f"{self.unfinished}: is a link; folders are not made through one")
        make_folder(self.out)
        make_folder(self.unfinished)

    def is_whole(self, speaker: str, *, clips: int, there: int) -> bool:
        """Return whether a speaker has all clips already; what wants more is opened again.

        There are to be so many clips, or all that are `there`.
        """
        folder = self.out / _checked(speaker)
        if not folder.is_dir():
            return False
        found = {path.name for path in folder.iterdir()}
        if found != {f"{number}{WAV}" for number in range(1, len(found) + 1)}:
            raise InputError(f"{folder}: must hold 1{WAV} and so on alone; give another folder")
        if len(found) > clips:
            raise InputError(f"{folder}: holds {len(found)} clips, more than {clips}")
        if len(found) == min(clips, there):
            return True
        folder.rename(self.unfinished / speaker)
        return False

    def has(self, speaker: str, number: int) -> bool:
        """Return whether a former run has written a clip."""
        return (self.unfinished / _checked(speaker) / f"{number}{WAV}").is_file()

    def write(self, speaker: str, number: int, content: bytes) -> None:
        """Write a clip, whole or not at all."""
        with written_whole(self.unfinished / _checked(speaker) / f"{number}{WAV}") as file:
            file.write(content)

    def finish(self, speaker: str, *, clips: int) -> None:
        """Give a folder of so many clips its place, without what a killed run has left in it."""
        folder = self.unfinished / _checked(speaker)
        names = {f"{number}{WAV}" for number in range(1, clips + 1)}
        for path in folder.iterdir():
            if path.name not in names:
                path.unlink()
        folder.rename(self.out / speaker)

    def close(self, speakers: Iterable[str]) -> None:
        """Remove what has not become whole of speakers; what else lies there stays."""
        for speaker in speakers:
            shutil.rmtree(self.unfinished / _checked(speaker), ignore_errors=True)
        with suppress(OSError):
            self.unfinished.rmdir()


def _checked(speaker: str) -> str:
    if not _NAME.fullmatch(speaker):
        raise InputError(
            "a speaker's name must be letters, digits, dots and dashes, of which a folder is "
            f"called; got '{speaker}'"
        )
    return speaker
