"""Runs that are written down: a TOML file whose keys are the options of a command."""

import argparse
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.command.errors import InputError
from evaluation.command.model_files import ModelFile
from evaluation.files.reading import reading, text_of

OPTION = "--study"
OUT = "out"


def add_study_option(parser: argparse.ArgumentParser) -> None:
    """Let the command take a study file."""
    parser.add_argument(
        OPTION,
        type=Path,
        metavar="FILE",
        help="a TOML file with these options as keys, paths relative to it; options that are "
        "given beside it count instead of its own; out lies in its folder",
    )


def expanded(arguments: Sequence[str], actions: Mapping[str, argparse.Action]) -> list[str]:
    """Return the arguments of a command with a study file's keys in its place.

    `actions` are the options of the command by name; positional ones are named as they are shown.
    A key is overridden by an option that is given.
    """
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument(OPTION, type=Path)
    found, rest = finder.parse_known_args(list(arguments))
    if found.study is None:
        return list(arguments)
    flags = {one.partition("=")[0] for one in rest if one.startswith("--")}
    given = {name for name, action in actions.items() if flags & set(action.option_strings)}
    positional: list[str] = []
    options: list[str] = []
    for key, value in _read(found.study).items():
        if key not in actions:
            raise InputError(_unknown(found.study, key, list(actions)))
        action = actions[key]
        texts = _texts(found.study, key, value, action)
        if not action.option_strings:
            positional += texts
        elif key not in given:
            if key == OUT:
                _refuse_elsewhere(found.study, texts[0])
            options += _option(action, value, texts)
    return [*options, *rest, *positional]


def _read(path: Path) -> dict[str, Any]:
    with text_of(path) as file, reading(path, "TOML file", tomllib.TOMLDecodeError):
        return tomllib.loads(file.read())


def _unknown(path: Path, key: str, known: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0)
    return (
        f"{path}: keys must be among {', '.join(known)}; got '{key}', "
        f"to which '{nearest[0]}' is nearest"
    )


def _texts(path: Path, key: str, value: Any, action: argparse.Action) -> list[str]:
    """The values of a key as a command line has them, paths relative to the file."""
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise InputError(f"{path}: {key} must be true or false; got {value!r}")
        return []
    values = value if isinstance(value, list) else [value]
    for one in values:
        if isinstance(one, bool) or not isinstance(one, str | int | float):
            raise InputError(f"{path}: {key} must be text, a number or a list; got {one!r}")
    if action.type == ModelFile.parse:
        files = [str(ModelFile.parse_in(path.parent, str(one))) for one in values]
        return [_no_option(path, key, one) for one in files]
    if action.type is Path:
        return [_no_option(path, key, str(path.parent / str(one))) for one in values]
    return [str(one) for one in values]


def _no_option(path: Path, key: str, text: str) -> str:
    """Return a text that no command line takes for an option: it would count more than others."""
    if text.startswith("-"):
        raise InputError(f"{path}: {key} must not begin with a minus; got '{text}'")
    return text


def _refuse_elsewhere(path: Path, out: str) -> None:
    """Raise InputError for a study file that would write beyond its own folder."""
    if not Path(out).resolve().is_relative_to(path.parent.resolve()):
        raise InputError(
            f"{path}: {OUT} must lie in the folder of the file; got '{out}'; "
            f"give --{OUT} for another place"
        )


def _option(action: argparse.Action, value: Any, texts: Sequence[str]) -> list[str]:
    name = action.option_strings[0]
    if action.nargs == 0:
        return [name] if value else []
    # A list of an option that takes one text is one of names, which commas part.
    if isinstance(action.default, list):
        return [f"{name}={text}" for text in texts]
    return [f"{name}={','.join(texts)}"]
