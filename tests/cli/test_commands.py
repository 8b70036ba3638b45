"""What all commands share: help, exit codes, errors."""

import re
import sys
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from minifloat.cli.app import app
from minifloat.cli.commands import Commands
from tests.cli.running import fine, refused, run

COMMANDS = ("info", "quantize", "search", "duplicates", "convert", "verify")
OF_INDEX = ("create", "build", "add", "remove", "search", "stats", "check", "compact", "purge")


def test_all_commands_are_listed() -> None:
    out = fine().out
    assert fine("--help").out == out
    assert [*get_command(app).commands][: len(COMMANDS)] == [*COMMANDS]  # type: ignore[attr-defined]
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\S", out, re.MULTILINE)
    assert "0 fine, 1 what was looked at is wrong" in " ".join(out.split())


def test_all_commands_of_an_index_are_listed() -> None:
    out = fine("index", "--help").out
    assert [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()] == [*OF_INDEX]


@pytest.mark.parametrize("command", [*COMMANDS, *(f"index {one}" for one in OF_INDEX)])
def test_help_tells_of_every_option(command: str) -> None:
    found: Any = get_command(app)
    for word in command.split():
        found = found.commands[word]
    text = " ".join(fine(*command.split(), "--help").out.split())
    assert text.startswith(f"Usage: root {command} [OPTIONS]")
    for param in found.params:
        assert param.help, param.name
        assert " ".join(param.help.split()[:3]) in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("quantise",), "No such command 'quantise'. Did you mean 'quantize'?"),
        (("info", "--frames"), "No such option: --frames"),
        (("index", "list"), "No such command 'list'."),
        (("index",), "Missing command."),
        (("search", "a", "b", "c"), "Got unexpected extra argument"),
    ],
)
def test_what_is_no_command_is_told_in_a_line(words: tuple[str, ...], told: str) -> None:
    assert refused(*words).startswith(told)


def given(error: BaseException | None, code: Any = None) -> Any:
    """An app of one command that ends so."""
    app = typer.Typer(cls=Commands, rich_markup_mode=None)

    @app.callback()
    def _group() -> None: ...

    @app.command()
    def end() -> Any:
        if error is not None:
            raise error
        return code

    return CliRunner().invoke(app, ["end"])


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ValueError("x must be\n1; got 2"), 2, "error: x must be 1; got 2\n"),
        (KeyError("no id 'x'"), 2, "error: no id 'x'\n"),
        (MemoryError(), 2, "error: MemoryError\n"),
        (OSError(28, "No space left on device", "x"), 2, "error: x: no space left on device\n"),
        (ValueError("\x1b[2J"), 2, "error: \\x1b[2J\n"),
        (ValueError("x" * 3000), 2, f"error: {'x' * 2000}... (3,000 characters)\n"),
        (KeyboardInterrupt(), 130, "interrupted: nothing is left half written\n"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_errors_are_one_line_and_an_exit_code(error: BaseException, code: int, told: str) -> None:
    done = given(error)
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", told)


def test_what_a_command_returns_is_the_exit_code() -> None:
    assert [given(None, code).exit_code for code in (None, 0, 1)] == [0, 0, 1]


def test_a_fault_keeps_its_traceback() -> None:
    assert isinstance(given(AttributeError("x")).exception, AttributeError)


@pytest.mark.usefixtures("folder")
def test_pyarrow_is_asked_for_where_it_is_needed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyarrow", "pyarrow.parquet", "pyarrow.types", "minifloat.vectors.arrow"):
        monkeypatch.setitem(sys.modules, name, None)
    needed = "pyarrow, which is not installed: pip install 'minifloat[arrow]'"
    assert refused("info", "x.parquet") == f"Parquet needs {needed}"
    assert refused("info", "x.arrow") == f"Arrow files need {needed}"
    assert refused("convert", "x.npy", "out.parquet") == f"Parquet needs {needed}"
    assert run("info", "x.npy").code == 0
