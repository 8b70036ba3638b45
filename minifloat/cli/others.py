"""Commands of other packages, which they name as entry points of `minifloat.commands`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

import typer

from minifloat.cli.errors import InputError

GROUP = "minifloat.commands"

# All that is typed behind such a command is for it to read.
_AS_TYPED = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "allow_interspersed_args": False,
}


def add_others(app: typer.Typer) -> None:
    """Give an app the commands of other packages."""
    for point in entry_points(group=GROUP):
        package = point.module.partition(".")[0]
        app.command(
            point.name,
            help=f"Run {package}: {point.name} --help tells of it.",
            context_settings=_AS_TYPED,
            add_help_option=False,
        )(passing_on(point))


def passing_on(point: EntryPoint) -> Callable[[typer.Context], int]:
    """Return a command that gives its arguments to an entry point and returns its exit code."""

    def run(context: typer.Context) -> int:
        try:
            return int(point.load()(context.args) or 0)
        except ModuleNotFoundError as error:
            raise InputError(
                f"minifloat {point.name} needs {error.name}, which is not installed: "
                f"pip install '{_installed_by(point)}'"
            ) from error

    return run


def _installed_by(point: EntryPoint) -> str:
    """Return what installs all that a command needs: the extra that is called as its package."""
    package = point.module.partition(".")[0]
    if point.dist is None:
        return package
    has_extra = package in (point.dist.metadata.get_all("Provides-Extra") or ())
    return f"{point.dist.name}[{package}]" if has_extra else point.dist.name
