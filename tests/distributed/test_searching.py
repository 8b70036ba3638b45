"""Ranks find what one process finds, to the bit."""

from pathlib import Path
from uuid import UUID

import pytest

from tests.distributed.databases import ROWS, write_files, write_index
from tests.support.launched import launched

PROGRAM = "from tests.distributed.searched import main; main()"

IDS: dict[str, list[object]] = {
    "integer": [7 * i for i in range(ROWS)],
    "text": [f"voice {i}" for i in range(ROWS)],
    "uuid": [UUID(int=i) for i in range(ROWS)],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shared")
    write_files(made, "e2m1")
    write_index(made / "index-numbers", [*range(ROWS)])
    for kind in ("text", "uuid"):
        write_index(made / f"index-{kind}", IDS[kind])
    return made


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_ranks_find_what_one_process_finds(folder: Path, ranks: int) -> None:
    ended = launched(PROGRAM, ranks, [str(folder)])
    assert [one.status for one in ended] == [0] * ranks, ended[0].err + ended[-1].err
    assert int(ended[0].out) > 60


@pytest.mark.parametrize(("format", "framed"), [("e4m3", False), ("e3m2", True), ("e2m1", True)])
def test_ranks_agree_in_other_formats_and_in_frames(
    tmp_path: Path, format: str, framed: bool
) -> None:
    write_files(tmp_path, format, framed=framed)
    ended = launched(PROGRAM, 3, [str(tmp_path)])
    assert [one.status for one in ended] == [0] * 3, ended[0].err + ended[-1].err
