"""Each example runs as a stranger runs it, and prints what it is there to show."""

import ast
import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.test_service import SERVICE
from tests.pages.printed import PROJECT, of_kind
from tests.pages.reading import Command, read
from tests.support.paths import ROOT

SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
SECONDS = 120


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / script)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [*folder.iterdir()] == []
    return done


def numbers(text: str) -> list[float]:
    return [float(one.replace(",", "")) for one in re.findall(r"(?<!\w)\d[\d,]*\.?\d*", text)]


def test_a_notebook_packs_searches_measures_recall_and_saves(tmp_path: Path) -> None:
    done = run("notebook.py", tmp_path)
    packed, sizes, nearest, *recalls, saved = done.stdout.splitlines()
    assert packed.startswith("PackedVectors(100000 x 256 e2m1, 13,600,000 bytes, 7.53x smaller")
    assert numbers(sizes) == [102_400_000, 13_600_000]
    assert nearest.startswith("nearest to the first query: [    0 ")
    ways, found = zip(*[line.split(": ") for line in recalls], strict=True)
    assert ways == ("4 bits without a frame", "4 bits in a frame", "6 bits in a frame")
    plain, framed, wider = map(float, found)
    assert 0.6 < plain < 0.8 < framed < 0.92 < wider < 1
    assert saved == "the file finds the same: True"
    assert done.stderr == ""


def test_speakers_are_enrolled_verified_identified_updated_and_erased(tmp_path: Path) -> None:
    done = run("speakers.py", tmp_path)
    found, rows, accepted, identified, updated, erased, left = done.stdout.splitlines()
    threshold, targets = numbers(found)
    assert threshold == pytest.approx(0.43, abs=0.01)
    assert targets > 98
    assert rows == "500 recordings, bytes each: 116"
    targets, impostors = numbers(accepted)
    assert targets > 98
    assert 0.5 < impostors < 3
    right, of = numbers(identified)
    assert (right > 99, of) == (True, 540)
    assert updated == (
        "000540001 is now: {'speaker': ['SPEAKER0054'], 'tenant': ['north'], 'day': [99]}"
    )
    assert erased == "erased: 6 rows of SPEAKER0054"
    assert left == "left: []"
    assert done.stderr == ""


def test_answers_are_exact_and_few_originals_are_read(tmp_path: Path) -> None:
    done = run("exact.py", tmp_path)
    packed, same, off, coarse, rows, read_bytes = done.stdout.splitlines()
    assert packed.startswith("PackedVectors(60000 x 192 e2m1")
    assert same == "the rows are those of float64: True"
    # Half of the distance between float32 values below 1.
    assert float(off.split()[5]) <= 2**-25 * 1.1
    assert numbers(coarse)[0] < 99
    median, of, most = numbers(rows)
    assert (of, 20 <= median <= most < 200) == (60_000, True)
    _, some, all_of_them = numbers(read_bytes)
    assert all_of_them == 60_000 * 192 * 4
    assert some < 0.2 * all_of_them
    assert done.stderr == ""


def test_duplicates_are_a_table_that_other_programs_read(tmp_path: Path) -> None:
    done = run("duplicates.py", tmp_path)
    header, *rows = csv.reader(done.stdout.splitlines())
    assert header == ["first", "second", "score"]
    assert len(rows) == len({tuple(row[:2]) for row in rows}) == 200
    assert all(first < second and 0.95 <= float(score) <= 1 for first, second, score in rows)
    counted, *arriving = done.stderr.splitlines()
    assert counted == "200 of 200 duplicates found, 0 others"
    there = [f"recording-0000{i}" for i in range(3)]
    assert [line.partition(": ")[2] for line in arriving] == [*there, "new", "new", "new"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_an_example_is_short_and_stands_by_itself(script: Path) -> None:
    text = script.read_text()
    assert text.count("\n") < 80
    own = {"", "minifloat", "evaluation", "benchmarks", "tests", *(one.stem for one in SCRIPTS)}
    imported = {
        name
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [f"{'.' * node.level}{node.module or ''}"]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    here = {name for name in imported if name.split(".")[0] in own}
    assert here <= {"minifloat", "minifloat.index"}


def test_the_page_of_examples_has_a_line_for_each() -> None:
    page = read("examples/README.md")
    assert re.findall(r"^\| \[`(\w+\.py)`\]\(\1\) \|", page, re.MULTILINE) == [
        "notebook.py",
        "speakers.py",
        "exact.py",
        "duplicates.py",
        "service.py",
    ]
    assert len(SCRIPTS) == 5


def test_examples_are_not_installed() -> None:
    chosen = PROJECT["tool"]["setuptools"]["packages"]["find"]
    setuptools = pytest.importorskip("setuptools")
    found = setuptools.find_packages(
        str(ROOT), include=chosen["include"], exclude=chosen.get("exclude", ())
    )
    assert "minifloat" in found
    assert not any(name.split(".")[0] == "examples" for name in found)


@pytest.mark.parametrize("command", of_kind("examples"), ids=str)
def test_commands_of_pages_name_examples_that_run(command: Command) -> None:
    words = command.text.split()
    if words[1] == "-m":
        assert words == ["python", *SERVICE]
    else:
        assert ROOT / words[1] in SCRIPTS
        assert words[2:] in ([], [">", "duplicates.csv"])
