"""Files mapped into memory, and whether they still are what they were then."""

from __future__ import annotations

import mmap
import os
import sys
import weakref
from io import FileIO
from pathlib import Path

import torch
from torch import Tensor

# MAP_NORESERVE, which Python 3.11 has no name for: the mapping may be larger than the memory.
_NO_RESERVE = 0x4000 if sys.platform == "linux" else 0


class _Mapping(mmap.mmap):
    """The bytes of a file, which live as long as tensors of them: changes do not reach the file."""

    def __new__(cls, path: str | Path, file: FileIO) -> _Mapping:
        flags, access = mmap.MAP_PRIVATE | _NO_RESERVE, mmap.PROT_READ | mmap.PROT_WRITE
        return super().__new__(cls, file.fileno(), 0, flags, access)

    def __init__(self, path: str | Path, file: FileIO) -> None:
        self.path, self.status = path, os.fstat(file.fileno())
        # The path may be another file's by the next look.
        self.descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.descriptor)

    def refuse_changes(self) -> None:
        """Raise OSError if the file has another size or was written to."""
        then, now = self.status, os.fstat(self.descriptor)
        if now.st_size == then.st_size and now.st_mtime_ns == then.st_mtime_ns:
            return
        if now.st_size != then.st_size:
            what = f"it had {then.st_size} bytes and has {now.st_size}"
        else:
            what = f"it was written to {(now.st_mtime_ns - then.st_mtime_ns) / 1e9:g} s later"
        raise OSError(
            f"{self.path} was changed after it was mapped: {what}; load it again, or with "
            "mmap=False to keep a copy in memory"
        )


# By the address at which each begins, which is that of the storage of all tensors of it.
_MAPPINGS: weakref.WeakValueDictionary[int, _Mapping] = weakref.WeakValueDictionary()


def mapped(path: str | Path, file: FileIO) -> Tensor:
    """Return the bytes of a file as a tensor whose pages are read when they are first used.

    A library's own mapping is refused where it is larger than the memory.
    """
    mapping = _Mapping(path, file)
    whole = torch.frombuffer(mapping, dtype=torch.uint8)
    _MAPPINGS[whole.untyped_storage().data_ptr()] = mapping
    return whole


def refuse_changes(*tensors: Tensor) -> None:
    """Raise OSError if one lies in a mapped file that was changed since.

    A page that a file no longer has ends the process that reads it; this looks before.
    """
    # What is traced has no address.
    if not _MAPPINGS or torch.compiler.is_compiling():
        return
    mappings = {
        _MAPPINGS.get(tensor.untyped_storage().data_ptr())
        for tensor in tensors
        if tensor.device.type == "cpu"
    }
    for mapping in mappings:
        if mapping is not None:
            mapping.refuse_changes()
