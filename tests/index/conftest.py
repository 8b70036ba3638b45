"""What tests of indexes are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from minifloat.index import Index
from tests.index.folders import ROWS, X
from tests.index.model import DIM


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index of a file and a part, whose version is 1."""
    path = tmp_path / "index"
    with Index.create(path, DIM, "e2m1", columns={"day": "integer"}) as index:
        index.add(range(ROWS), X[:ROWS], day=1)
    return path


@pytest.fixture
def index() -> Index:
    """An index in memory of three rows."""
    made = Index.create(
        None, DIM, "e2m1", columns={"day": "integer", "weight": "real", "ok": "boolean"}
    )
    made.add([1, 2, 3], X[:3], day=1)
    return made
