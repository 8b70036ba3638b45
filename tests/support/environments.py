"""Tests that run in virtual environments, each with a library that .venv has not."""

import argparse
from collections.abc import Callable, Collection
from pathlib import Path


def run_each(
    arguments: list[str],
    known: Collection[str],
    passes: Callable[[str], bool],
    *,
    mode: str,
    noun: str,
) -> int:
    """Run what is named, or all; return the exit status: 1 if any of it failed."""
    options = argparse.ArgumentParser(
        prog=f"scripts/test --{mode}", description=f"run each {noun} with its own library"
    )
    options.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    names: list[str] = options.parse_args(arguments).names or [*known]
    for name in names:
        if name not in known:
            options.error(f"{noun} must be one of {', '.join(known)}; got '{name}'")
    failed = [name for name in names if not passes(name)]
    print(f"== {len(names) - len(failed)} passed, {len(failed)} failed {failed or ''}")
    return bool(failed)


def without_compiled_torchaudio(folder: Path) -> None:
    """Take the compiled parts out of torchaudio's wheel, which are for CUDA; it runs without."""
    for path in folder.glob("lib/python*/site-packages/torchaudio/lib/*.so"):
        path.unlink()
