"""Packages that only some of the commands need."""

import importlib
from types import ModuleType

from evaluation.command.errors import InputError


def require(module: str, *, needs: str, install: str) -> ModuleType:
    """Return the module; one that is not installed is an error that names the command.

    `needs` begins the error, as "extraction needs".
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(f"{needs} {error.name}, which is not installed; {install}") from error
