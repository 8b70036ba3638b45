"""Programs that pages name: what they are called with, and the part of them that a test runs."""

import argparse
import os
import runpy
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest

# How scripts/test runs the tests.
SUITE = ["pytest", "--numprocesses", "auto", "-m", "not long"]


def calls(command: str, folder: Path) -> list[list[str]]:
    """Return what a shell calls programs with for a command; they do nothing."""
    told = folder / "calls"
    told.write_text("")
    programs = folder / ".venv" / "bin"
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "CALLS": str(told)}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHON"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return [line.rstrip("\0").split("\0") for line in told.read_text().splitlines()]


def run(call: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a Python program in this process, which has imported what takes long to import."""
    if call[0] == "minifloat":
        call = ["python", "-m", *call]
    words = call[2 if call[1] == "-P" else 1 :]
    if words[0] == "-m":
        spec = find_spec(words[1])
        if spec is not None and spec.submodule_search_locations:
            spec = find_spec(f"{words[1]}.__main__")
        if spec is None or spec.origin is None:
            raise ImportError(f"no module {words[1]}")
        words = [spec.origin, *words[2:]]
    monkeypatch.setattr(sys, "argv", words)
    try:
        runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        # Some decisions of a verification are wrong, as those of all models.
        is_told = words[1:2] == ["verify"] and end.code == 1
        if end.code and not is_told:
            raise RefusedError(f"{shlex.join(call)} ended with {end.code}") from end


class RefusedError(Exception):
    """A program has ended with an error of its own."""


class UnderstoodError(BaseException):
    """A program has parsed its arguments."""


def understand(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the programs of a command up to where they have parsed their arguments."""
    found = calls(command, folder)
    assert found, command
    for call in found:
        _understand(call, folder, monkeypatch)


def _understand(call: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = call[1:]
    # What builds is called so by what continuous integration runs, and so are the tests.
    if words[0] == "setup.py" or call == SUITE:
        return
    if call[0] == "pytest":
        raise RefusedError(f"scripts/test has no mode {shlex.join(words)}")
    if words[0] != "-m" and "parse_args(" not in (folder / words[0]).read_text():
        if words[1:]:
            raise RefusedError(f"{words[0]} takes no arguments")
        return

    def parsed(parser: argparse.ArgumentParser, *arguments: Any) -> NoReturn:
        _, unknown = parser.parse_known_args(*arguments)
        if unknown:
            parser.error(f"unrecognized arguments: {shlex.join(unknown)}")
        raise UnderstoodError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parsed)
    with pytest.raises(UnderstoodError):
        run(call, monkeypatch)
