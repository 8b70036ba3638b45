"""Files that are whole or absent, and pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import BinaryIO, TextIO

from minifloat.files.replacing import replacing

# What stands for stdin, and for stdout.
PIPE = "-"


@contextmanager
def whole(path: str) -> Iterator[BinaryIO]:
    """A file that takes a path's place once the block has ended without error; `-` is stdout."""
    if path == PIPE:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with replacing(path) as descriptor, open(descriptor, "wb", closefd=False) as file:
        yield file
        file.flush()
        os.fsync(descriptor)


@contextmanager
def text(path: str) -> Iterator[TextIO]:
    """A text that takes a path's place once the block has ended without error; `-` is stdout."""
    if path == PIPE:
        yield sys.stdout
        return
    with whole(path) as file:
        wrapped = TextIOWrapper(file, encoding="utf-8", newline="")
        yield wrapped
        wrapped.flush()
        wrapped.detach()
