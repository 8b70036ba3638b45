"""What a file can do, and what is promised: the tests that pages name are there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "reference" / "files.md").read_text()
_PROMISES = (ROOT / "docs" / "reference" / "promises.md").read_text()
PROMISES = _PROMISES.partition("## A sentence a test")[2]

TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def lines(page: str) -> list[list[str]]:
    """Return the cells of each line of the page's tables, without the headings."""
    rows = [line for line in page.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [row for row in cells if row[0] not in ("file", "promise") and set(row[0]) != {"-"}]


def gone(page: str) -> list[str]:
    """Return the tests that a page names and nobody wrote, and lines that name none."""
    found = []
    for cells in lines(page):
        named = TEST.findall(cells[-1])
        if not named or TEST.sub("", cells[-1]).strip(" ,"):
            found.append(cells[0])
        found += [
            f"{file}::{test}"
            for file, test in named
            if not (ROOT / file).is_file()
            or not re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE)
        ]
    return found


def test_every_line_names_tests_that_are_there() -> None:
    assert len(lines(PAGE)) > 15
    assert {len(cells) for cells in lines(PAGE)} == {5}
    assert gone(PAGE) == []


def test_every_promise_names_tests_that_are_there() -> None:
    assert len(lines(PROMISES)) > 30
    assert {len(cells) for cells in lines(PROMISES)} == {2}
    assert gone(PROMISES) == []


def test_a_test_that_is_gone_is_told() -> None:
    here = str(Path(__file__).relative_to(ROOT))
    assert gone(f"| x | `{here}::test_a_test_that_is_gone_is_told` |") == []
    assert gone(f"| x | `{here}::test_a_test` |") == [f"{here}::test_a_test"]
    assert gone("| x | `tests/none.py::test_x` |") == ["tests/none.py::test_x"]
    assert gone("| x | not tried |") == ["x"]
    assert gone(f"| x | `{here}::test_a_test_that_is_gone_is_told`, not tried |") == ["x"]


def test_modules_of_the_current_folder_are_not_imported_with_p(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("from pathlib import Path\nPath('victim').touch()\n")
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    for safe, made in (["-P"], False), ([], True):
        program = [sys.executable, *safe, "-m", "evaluation", "bitdepth", "--help"]
        subprocess.run(
            program, cwd=tmp_path, env=os.environ | {"PYTHONPATH": paths}, capture_output=True
        )
        assert (tmp_path / "victim").exists() == made
