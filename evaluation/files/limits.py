"""How much a file may unpack to, so that a small one cannot fill the memory."""

import gzip
import io
from pathlib import Path

from evaluation.command.errors import InputError

# Lists of pairs in order take 17 times what they are packed in; zeros take a thousand.
_TIMES = 100
# A file may always unpack to so many bytes.
_LEAST = 1 << 28


def most_unpacked(packed: int) -> int:
    """Return how many bytes may come of a file, or of part of one, of `packed` bytes."""
    return max(_LEAST, _TIMES * packed)


def refuse_bomb(where: object, *, packed: int, unpacked: int) -> None:
    """Raise InputError, which begins with `where`, if too many bytes come of too few."""
    most = most_unpacked(packed)
    if unpacked > most:
        raise InputError(
            f"{where}: {packed:,} bytes may unpack to {most:,} at most; got {unpacked:,}; "
            "unpack it first if you trust it"
        )


class _Unpacked(io.RawIOBase):
    """A .gz file as what is in it: all that is unpacked counts, and so what is unpacked again."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self._packed, self._count = path, path.stat().st_size, 0
        self._file = gzip.GzipFile(path, "rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        count = self._file.readinto(buffer)
        self._unpacked(count)
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._file.tell()
        elif whence != io.SEEK_SET:
            raise io.UnsupportedOperation("the end of a .gz file is not known")
        before = self._file.tell()
        # Back is from the start again. What is asked for counts: the file may end before.
        self._unpacked(offset - before if offset >= before else offset)
        return self._file.seek(offset)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()

    def _unpacked(self, count: int) -> None:
        self._count += count
        refuse_bomb(self._path, packed=self._packed, unpacked=self._count)


def open_gz(path: Path) -> io.BufferedReader:
    """Return a .gz file as what is in it; InputError as soon as it unpacks to too much."""
    return io.BufferedReader(_Unpacked(path))
