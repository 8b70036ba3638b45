"""How every command ends: its exit code, and errors as one line."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer
from typer.core import TyperGroup

from minifloat.cli.errors import tell

# Fine; what was looked at is wrong; the call, or what it was given, is; Ctrl-C.
FINE, WRONG, REFUSED, INTERRUPTED = 0, 1, 2, 130

# What wrong files and values raise in this package and in those that read files; others are faults.
_MENDED: tuple[type[Exception], ...] = (
    ArithmeticError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
# Of whichever library Typer stands on: all of its complaints about a command line.
_MISTYPED: type[Exception] = typer.BadParameter.__mro__[2]


class Commands(TyperGroup):
    """Commands whose errors are one line, and whose return values are exit codes."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run what the arguments say, and exit."""
        try:
            code = super().main(*args, **kwargs | {"standalone_mode": False})
        except _MISTYPED as error:
            tell("error", error.format_message())  # type: ignore[attr-defined]
            code = REFUSED
        except typer.Abort:
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else FINE)

    def invoke(self, ctx: Any) -> Any:
        """Run one command; what ends it early is its exit code."""
        try:
            with _told_warnings():
                code = super().invoke(ctx)
                sys.stdout.flush()
                return code
        except (typer.Exit, typer.Abort):
            raise
        except BrokenPipeError:
            _close_stdout()
            code = FINE
        except KeyboardInterrupt:
            tell("interrupted", "nothing is left half written")
            code = INTERRUPTED
        except _MENDED as error:
            tell("error", _message(error))
            code = REFUSED
        raise typer.Exit(code)


def _message(error: BaseException) -> str:
    """Return what an error says: of a file that the system refuses its name and why."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fspath(error.filename)}: {error.strerror.lower()}"
    # The text of a KeyError has quotes.
    said = error.args[0] if isinstance(error, KeyError) and error.args else error
    return str(said) or type(error).__name__


@contextmanager
def _told_warnings() -> Iterator[None]:
    """A block whose warnings are lines on stderr without the place in the source."""

    def shown(message: Warning | str, *_: Any, **__: Any) -> None:
        tell("warning", message)

    with warnings.catch_warnings():
        warnings.showwarning = shown
        yield


def _close_stdout() -> None:
    """Let what is still to be written, as Python ends, go nowhere: nobody reads it."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
