"""Packages that are imported when they are needed, by those alone who have them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def required(module: str, *, needs: str, extra: str) -> Any:
    """Return a module; ImportError, which says what needs it and what installs it, without it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{needs}: pip install 'minifloat[{extra}]'") from error
