"""Files of 40 rows that are changed once they are written."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

ROWS, DIM = 40, 9


def metadata_of(path: Path) -> dict[str, str]:
    content = path.read_bytes()
    found: dict[str, str] = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])[
        "__metadata__"
    ]
    return found


def rewrite(path: Path, change: Callable[[dict[str, torch.Tensor], dict[str, str]], Any]) -> None:
    """Change the tensors or the metadata of a file."""
    tensors, metadata = load_file(path), metadata_of(path)
    change(tensors, metadata)
    save_file(tensors, path, metadata)


def without_checksums(path: Path) -> None:
    """Make a file what older versions wrote."""
    rewrite(
        path,
        lambda _, metadata: [metadata.pop(key) for key in list(metadata) if key.startswith("crc")],
    )


def refused(load: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        load()
