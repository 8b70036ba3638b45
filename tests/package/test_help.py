"""What `--help` of every command prints."""

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from typer.main import get_command

from minifloat.cli.app import app
from tests.support.paths import ROOT

STUDIES = ("bitdepth", "separation", "extract", "merge", "probe", "voxtube")
COMMANDS = (
    "evaluation",
    *(f"evaluation {study}" for study in STUDIES),
    "benchmarks",
    "benchmarks.exact",
    "benchmarks.exchange",
    "benchmarks.few_queries",
    "benchmarks.files",
    "benchmarks.gpu",
    "benchmarks.gpu.code.counts",
    "benchmarks.gpu.measure",
    "benchmarks.gpu.results",
    "benchmarks.gpu.sanitizers",
    "benchmarks.gpu.simulation",
    "benchmarks.gpu.suite",
    "benchmarks.index",
    "benchmarks.instructions",
    "benchmarks.quantize",
    "benchmarks.recall",
    "benchmarks.scale",
)


def names(group: Any) -> Iterator[str]:
    """Yield the names of a group's commands, and of those of groups in it."""
    for name, command in group.commands.items():
        yield name
        if hasattr(command, "commands"):
            yield from (f"{name} {inner}" for inner in names(command))


# Those of `minifloat`, which Typer parses; that of another package is among COMMANDS.
OWN = ["minifloat", *(f"minifloat {name}" for name in names(get_command(app)) if name != "study")]


Printed = Callable[[str], str]


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Printed:
    """What a command prints when it is asked for help."""

    def run(command: str) -> str:
        name, *study = command.split()
        module = import_module(name)
        if hasattr(module, "__path__"):
            module = import_module(f"{name}.__main__")
        monkeypatch.setattr(sys, "argv", [name, *study, "--help"])
        with pytest.raises(SystemExit, match=r"^0$"):
            module.main()
        return capsys.readouterr().out

    return run


def on_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_every_command_is_listed() -> None:
    found = {
        re.sub(r"\.(__main__|options)$", "", ".".join(path.relative_to(ROOT).with_suffix("").parts))
        for package in ("evaluation", "benchmarks")
        for path in (ROOT / package).rglob("*.py")
        if "parse_args(" in path.read_text()
    }
    assert found == {command for command in COMMANDS if " " not in command}


def test_every_study_is_listed(printed: Printed) -> None:
    listed = re.findall(r"^    ([a-z]+)(?= |$)", printed("evaluation"), re.MULTILINE)
    assert listed == [*STUDIES]


@pytest.mark.parametrize("command", [*COMMANDS, *OWN])
def test_help_is_readable(command: str, printed: Printed) -> None:
    text = on_one_line(printed(command))
    assert text.lower().startswith("usage: ")
    assert "%%" not in text
    assert "%(" not in text
    assert not re.search(r"[([]default: (None|False|==SUPPRESS==|\[\]|\(\))?[)\]]", text)


def test_help_tells_defaults_and_percent_signs(printed: Printed) -> None:
    for command, texts in {
        "evaluation bitdepth": ("with 95 % intervals", "for the intervals (default: 1000)"),
        "evaluation separation": ("with 95 % intervals", "(default: separation-report)"),
        "minifloat quantize": ("is read twice", "[default: none]"),
        "minifloat search": ("for each query. [default: 10]",),
        "benchmarks": ("out of the default (default: encode,decode,", "(default: 64M,16K,192)"),
        "benchmarks.gpu": ("when to stop (default: 9.0)",),
        "benchmarks.instructions": ("has grown by more than 5% or has no record",),
    }.items():
        text = on_one_line(printed(command))
        for part in texts:
            assert part in text
