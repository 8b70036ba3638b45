"""How far a study is, for those who watch and for logs."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def watched(things: Sequence[T], *, name: str, unit: str, label: Callable[[T], str]) -> Iterator[T]:
    """Yield the things in turn, behind a bar that tells which; in a log, how many there are."""
    # Where nobody watches, a bar would fill a log: tqdm's None turns it off there.
    with tqdm(things, desc=name, unit=f" {unit}", leave=False, disable=None) as bar:
        if bar.disable:
            print(f"{name}: {len(things)} {unit}", file=sys.stderr)
        for thing in bar:
            bar.set_postfix_str(label(thing))
            yield thing
