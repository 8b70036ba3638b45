"""One version, and what a source distribution has of the sources."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_changelog_citation_and_package_have_one_version() -> None:
    headings = re.findall(r"^## (\S+) - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    dates = [date for _, date in headings]
    assert headings[0][0] == VERSION
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for date in dates[1:])
    assert dates[1:] == sorted(dates[1:], reverse=True)
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (\S+)$", citation, re.MULTILINE) == [VERSION]
    released = re.findall(r"^date-released: (\S+)$", citation, re.MULTILINE)
    assert dates[0] in ("unreleased", *released)


def test_a_source_distribution_has_all_sources_and_no_studies(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    for folder in ("csrc", "minifloat", "evaluation"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    # The kernels for GPUs are part of it where they are not built, too.
    environment = os.environ | {"MINIFLOAT_CUDA": "0"}
    command = [sys.executable, "setup.py", "--quiet", "sdist"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    (found,) = (tmp_path / "dist").iterdir()
    with tarfile.open(found) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = {
        str(path.relative_to(tmp_path))
        for folder in ("csrc", "minifloat")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    }
    assert sources <= names
    assert {"setup.py", "pyproject.toml", "LICENSE"} <= names
    assert not any(name.startswith("evaluation") for name in names)


@pytest.mark.parametrize(
    ("version", "status", "told"),
    [
        ("0.2", 2, "VERSION must be three numbers such as 0.2.0; got '0.2'"),
        ("9.9.9", 1, "there are changes that are not committed: a release is of a commit"),
    ],
)
def test_a_release_refuses_what_is_none(
    version: str, status: int, told: str, tmp_path: Path
) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "release", tmp_path / "scripts")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    done = subprocess.run(
        [tmp_path / "scripts" / "release", version], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (status, told)
