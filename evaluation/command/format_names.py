"""Formats as the command line names them."""

import minifloat as mf
from evaluation.command.errors import InputError
from minifloat.formats import as_format

ALL_NAMES = ",".join(format.name for format in mf.FORMATS)


def formats_named(names: str) -> list[mf.Format]:
    """Return the formats of comma-separated names, in the package's order, each once."""
    try:
        wanted = {as_format(name.strip()) for name in names.split(",")}
    except ValueError as error:
        raise InputError(str(error)) from error
    return [format for format in mf.FORMATS if format in wanted]
