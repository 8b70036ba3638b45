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
    paragraphs = [text for text in PAGE.split("\n\n") if not text.startswith("#")][1:]
    questions, lines = paragraphs[::2], paragraphs[1::2]
    assert len(questions) == len(lines) > 0
    for question, quotes in zip(questions, lines, strict=True):
        asked = QUESTION.match(question)
        assert asked, question
        assert len(question) > asked.end(), question
        assert len(quoted(quotes)) == len(quotes.splitlines()), question


def test_a_line_that_is_gone_is_told() -> None:
    here = str(Path(__file__).relative_to(ROOT))
    never = "-".join(["gone"] * 2)
    assert gone(f"- `{here}`: `import re`") == []
    assert gone(f"- `{here}`: `{never}`") == [(here, never)]
    assert gone("- `csrc/cuda/none.cu`: `import re`") == [("csrc/cuda/none.cu", "import re")]
    with pytest.raises(ValueError, match="an item must be"):
        quoted("- `import re`")
