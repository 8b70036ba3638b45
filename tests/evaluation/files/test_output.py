"""What names in data can do to the outputs: pages, figures, tables and the terminal."""

import csv
import json
import os
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import jinja2
import numpy as np
import pytest
from matplotlib.figure import Figure

from evaluation.__main__ import main
from evaluation.command.errors import message_text
from evaluation.embeddings.extracted import Entry, read_extracted, write_extracted
from evaluation.files.formulas import guarded, unguarded
from evaluation.files.writing import write_whole, written_whole
from evaluation.page.plots import label, svg

Maker = Callable[..., Path]

IMAGE = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http:evil";"open me")'
# One that matplotlib would read as mathematics, and fail on.
MATHEMATICS = r"$\frac$"


class Tags(HTMLParser):
    """The elements of a page, and the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture(scope="module")
def outputs(make_file_in: Maker, tmp_path_factory: pytest.TempPathFactory, quick_map: None) -> Path:
    """Both studies of two files whose names, and whose speakers, are attacks."""
    folder = tmp_path_factory.mktemp("attacks")
    speakers = [IMAGE, FORMULA, MATHEMATICS, ' xmlns="', '" onload="alert(1)', "\x1b]0;title\x07"]
    files = [
        str(make_file_in(folder, name=name, speakers=6, speaker=np.repeat(speakers, 6), seed=seed))
        for seed, name in enumerate((f"{FORMULA} {IMAGE} {MATHEMATICS}", ' xmlns="\t@x(1)'))
    ]
    for study in ("bitdepth", "separation"):
        given = ["--draws", "5", "--formats", "e2m1", "--out", str(folder / study)]
        assert main([study, *files, *given]) == 0
    return folder


@pytest.mark.parametrize("study", ["bitdepth", "separation"])
def test_names_put_no_element_and_no_attribute_into_a_page(outputs: Path, study: str) -> None:
    unguarded_page = jinja2.Template("<p>{{ name }}</p>").render(name=IMAGE)
    assert "onerror" in Tags(unguarded_page).attributes
    page = (outputs / study / "report.html").read_text()
    assert unescape(page).count(IMAGE) > 3
    found = Tags(page)
    assert found.names.count("script") == 1
    assert "img" not in found.names
    assert not {name for name in found.attributes if name.startswith("on")}


@pytest.mark.parametrize("study", ["bitdepth", "separation"])
def test_names_leave_figures_whole(outputs: Path, study: str) -> None:
    figures = list((outputs / study).glob("*.svg"))
    for path in figures:
        root = ElementTree.fromstring(path.read_text())
        assert not {name for one in root.iter() for name in one.attrib if name.startswith("on")}
    page = (outputs / study / "report.html").read_text()
    for inline in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        # An element that was cut open by a name would have no end, or another one's.
        ElementTree.fromstring(inline)
    assert figures


def test_a_speaker_whose_name_is_mathematics_is_drawn_as_it_is_called() -> None:
    def drawn(name: str) -> str:
        def draw(figure: Figure) -> None:
            figure.suptitle(name)

        return svg("x", 2, draw)

    with pytest.raises(ValueError, match="ParseSyntaxException"):
        drawn(MATHEMATICS)
    assert f">{MATHEMATICS}</text>" in drawn(label(MATHEMATICS))
    assert ">a\N{REPLACEMENT CHARACTER}b</text>" in drawn(label("a\x01b"))


@pytest.mark.parametrize("study", ["bitdepth", "separation"])
def test_names_are_no_formulas_in_the_tables(outputs: Path, study: str) -> None:
    with (outputs / study / "metrics.csv").open(newline="") as file:
        models = {row["model"] for row in csv.DictReader(file)}
    assert {name[:3] for name in models} == {"'=H", " xm"}


def test_the_page_copies_and_saves_no_formula(outputs: Path) -> None:
    page = (outputs / "separation" / "report.html").read_text()
    values = [json.loads(unescape(one)) for one in re.findall(r'data-values="([^"]*)"', page)]
    texts = [one for cell in values for one in cell if isinstance(one, str)]
    assert any(FORMULA in one for one in texts)
    assert not [one for one in texts if one.startswith(("=", "@")) or "\t" in one]


@pytest.mark.parametrize(
    "text",
    [
        FORMULA,
        "=1",
        "+1+1",
        "-1+cmd|' /C calc'!A0",
        "@SUM(1)",
        "  =1",
        "\t=1",
        "\N{FULLWIDTH EQUALS SIGN}1",
        "'=1",
        "''=1",
    ],
)
def test_formulas_become_text_and_come_back(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize(
    "text", ["", "id10270/x", "-0BQtLAKY1w/00001", "'quoted'", "a=1", "-", "'"]
)
def test_names_that_are_no_formulas_stay(text: str) -> None:
    assert guarded(text) == text
    assert unguarded(text) == text


def test_a_manifest_holds_no_formula_and_gives_names_back(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    entries = [
        Entry(speaker=name, utterance=name, path=f"{name}.wav", seconds=1.0, bytes=7)
        for name in (FORMULA, "'=1", "+1\n@x(1)", "-0BQtLAKY1w")
    ]
    write_extracted(path, [np.eye(4, dtype=np.float32)], entries, dim=4, model={"model": "m"})
    with path.with_suffix(".csv").open(newline="") as file:
        speakers = [row["speaker"] for row in csv.DictReader(file)]
    assert speakers == [f"'{FORMULA}", "''=1", "'+1\n@x(1)", "-0BQtLAKY1w"]
    assert read_extracted(path).entries == entries


def test_a_message_does_not_steer_the_terminal(
    make_file: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    names = np.tile([f"\x1b]0;title\x07{i}" for i in range(6)], 12)
    rows = np.full((72, 4), np.nan)
    assert main(["bitdepth", str(make_file(embeddings=rows, utterance=names))]) == 2
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert r"utterance '\x1b]0;title\x070'" in shown
    assert message_text("ж\n" + "x" * 3000) == "ж\n" + "x" * 1998 + "... (3,002 characters)"


@pytest.mark.parametrize("name", ["report.html", "\N{SNOWMAN}" * 85, "a" * 255], ids=len)
def test_outputs_have_the_permissions_of_new_files_or_of_those_they_replace(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "new folder" / name
    before = os.umask(0o027)
    try:
        write_whole(path, "one")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    write_whole(path, "ж\n")
    assert (path.stat().st_mode & 0o777, path.read_bytes()) == (0o604, "ж\n".encode())
    link = path.with_name("link")
    link.symlink_to(name)
    write_whole(link, "three")
    assert (link.is_symlink(), path.read_text()) == (True, "three")


def test_an_output_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    write_whole(path, "old")

    def fail() -> None:
        with written_whole(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [one.name for one in tmp_path.iterdir()] == ["metrics.csv"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("study", ["bitdepth", "separation"])
def test_metrics_and_reports_have_the_permissions_of_new_files(outputs: Path, study: str) -> None:
    usual = outputs / "usual"
    usual.touch()
    for name in ("metrics.csv", "report.html"):
        assert (outputs / study / name).stat().st_mode == usual.stat().st_mode


def test_an_interrupted_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_whole(path, "whole")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half \ud800")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]
