"""docs/contributing/gpu-kernels.md: the lines of code that it quotes are there."""

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "contributing" / "gpu-kernels.md").read_text()

QUESTION = re.compile(r"\*\*.+\?\*\* ")
LINE = re.compile(r"- `([^`]+)`: `([^`]+)`")


def quoted(page: str) -> list[tuple[str, str]]:
    """Return the files and fragments of a page's list items; ValueError for any other item."""
    items = [line for line in page.splitlines() if line.startswith("- ")]
    found = []
    for item in items:
        match = LINE.fullmatch(item)
        if not match:
            raise ValueError(f"an item must be - `file`: `fragment`; got {item}")
        found.append((match[1], match[2]))
    return found


def gone(page: str) -> list[tuple[str, str]]:
    """Return what a page quotes that is not in the file it names."""
    return [
        (file, fragment)
        for file, fragment in quoted(page)
        if not (ROOT / file).is_file() or fragment not in (ROOT / file).read_text()
    ]


def test_every_line_that_is_quoted_is_there() -> None:
    assert quoted(PAGE)
    assert gone(PAGE) == []


def test_every_question_has_an_answer_and_a_line() -> None:
    _, *parts = PAGE.split("\n\n**")
    assert parts
    for part in parts:
        text = "**" + part.partition("\n#")[0].rstrip()
        answer, *lines = text.split("\n- ")
        asked = QUESTION.match(answer)
        assert asked, answer
        assert len(answer.rstrip()) > asked.end(), answer
        assert len(quoted(text)) == len(lines) > 0, answer


def test_a_line_that_is_gone_is_told() -> None:
    here = str(Path(__file__).relative_to(ROOT))
    never = "-".join(["gone"] * 2)
    assert gone(f"- `{here}`: `import re`") == []
    assert gone(f"- `{here}`: `{never}`") == [(here, never)]
    assert gone("- `csrc/cuda/none.cu`: `import re`") == [("csrc/cuda/none.cu", "import re")]
    with pytest.raises(ValueError, match="an item must be"):
        quoted("- `import re`")
