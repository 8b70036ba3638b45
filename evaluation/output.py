"""Files that are whole or absent."""

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Nothing; the file holds the text, and an interruption leaves what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # mkstemp gives files to their owner alone; a report is for others to read.
        os.chmod(unfinished, 0o644)
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise
