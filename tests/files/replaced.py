"""A file that takes another's place, and the name of one that is left where a writer was killed."""

import os
from pathlib import Path

from minifloat.files.replacing import replacing

STRAY = f".minifloat-{'0' * 32}.tmp"


def write(path: Path | str, content: bytes = b"new") -> None:
    with replacing(path) as file:
        os.write(file, content)
