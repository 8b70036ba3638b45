"""What users type: public names with their parameters, and options of the commands.

Formats are left out, which `docs/reference/formats.md` lists. `python -m tests.package.api` writes
the description to tests/package/api.txt, once the changelog tells of what has changed.
"""

import argparse
import hashlib
import inspect
import sys
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

import minifloat as mf
from evaluation.bitdepth.command import add_parser as add_bitdepth
from evaluation.extraction.command import add_merge_parser as add_merge
from evaluation.extraction.command import add_parser as add_extract
from evaluation.probe.command import add_parser as add_probe
from evaluation.separation.command import add_parser as add_separation
from evaluation.voxtube.command import add_parser as add_voxtube
from minifloat import distributed, estimators
from minifloat.cli.app import app
from tests.support.paths import ROOT

RECORD = ROOT / "tests" / "package" / "api.txt"
CHANGELOG = ROOT / "CHANGELOG.md"


def described() -> list[str]:
    """Return a line for each public name and option."""
    return [*_names(), *_commands(get_command(app), "minifloat"), *_options()]


def recorded() -> tuple[str, list[str]]:
    """Return the digest of the changelog that told of the recorded lines, and these."""
    changelog, *lines = RECORD.read_text().splitlines()
    return changelog, lines


def digest(changelog: str) -> str:
    """Return the digest of a changelog."""
    return f"changelog {hashlib.sha256(changelog.encode()).hexdigest()}"


def record() -> None:
    """Write what there is, unless it has changed and the changelog has not."""
    before, lines = recorded() if RECORD.exists() else ("", [])
    now = digest(CHANGELOG.read_text())
    if lines == described():
        return
    if now == before:
        sys.exit(f"{CHANGELOG.name} does not tell of what has changed in what users type")
    RECORD.write_text("\n".join((now, *described())) + "\n")


def _names() -> Iterator[str]:
    for module in (mf, distributed, estimators):
        for name in sorted(module.__all__):
            value, whole = getattr(module, name), f"{module.__name__}.{name}"
            if inspect.isclass(value):
                yield whole
                yield from (f"{whole}.{line}" for line in _members(value))
            else:
                yield f"{whole}{_parameters(value) if callable(value) else ''}"


def _members(cls: type) -> Iterator[str]:
    ours = [base for base in reversed(cls.__mro__) if base.__module__.startswith("minifloat")]
    found = {name: value for base in ours for name, value in vars(base).items()}
    for name, value in sorted(found.items()):
        if name.startswith("_") and (not name.endswith("__") or name not in _SPECIAL):
            continue
        bare = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        yield f"{name}{_parameters(bare) if inspect.isfunction(bare) else ''}"


# What users call without naming it.
_SPECIAL = ("__init__", "__len__", "__getitem__", "__iter__", "__contains__", "__eq__", "__array__")


def _parameters(function: Any) -> str:
    """The parameters without annotations, which each Python prints in its own way."""
    signature = inspect.signature(function)
    bare = [
        one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()
    ]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def _commands(command: Any, name: str) -> Iterator[str]:
    """The arguments and options of a command of Typer's, or of all commands in it."""
    for one, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{name} {one}")
    for param in command.params:
        is_option = param.param_type_name == "option"
        yield f"{name} {', '.join(param.opts) if is_option else param.metavar or param.name}"


def _options() -> Iterator[str]:
    studies = argparse.ArgumentParser().add_subparsers()
    for add in (add_bitdepth, add_separation, add_extract, add_merge, add_probe, add_voxtube):
        add(studies)
    for name, parser in studies.choices.items():
        for action in parser._actions[1:]:
            called = ", ".join(action.option_strings) or str(action.metavar or action.dest)
            yield f"python -m evaluation {name} {called}"


if __name__ == "__main__":
    record()
