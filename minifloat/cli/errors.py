"""What a user can mend, told in one line, and packages that only some commands need."""

from __future__ import annotations

import importlib
import sys
from typing import Any

# A message is cut after so many characters.
_LONGEST = 2000


class InputError(ValueError):
    """A file, a name or an option that cannot be used as it is."""


def tell(kind: str, message: object) -> None:
    """Write one line to stderr."""
    text = " ".join(str(message).split())
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}... ({len(text):,} characters)"
    print(f"{kind}: {printable(text)}", file=sys.stderr)


def printable(text: str) -> str:
    """Return a text for a terminal: what would steer it is shown as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def require(module: str, *, needs: str, extra: str) -> Any:
    """Return a module; one that is not installed is an error that names the extra with it.

    `needs` begins the error, as "Parquet needs".
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or module).partition(".")[0]
        raise InputError(
            f"{needs} {package}, which is not installed: pip install 'minifloat[{extra}]'"
        ) from error
