"""Where files are written, and how much one checksum is of."""

from pathlib import Path

import pytest

from minifloat.files import checksums


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Rows of a block, where a row has 5 bytes."""
    monkeypatch.setattr(checksums, "_BLOCK_BYTES", 35)
    return 7
