"""Formats as the command line names them."""

import minifloat as mf
from evaluation.errors import InputError

ALL_NAMES = ",".join(format.name for format in mf.FORMATS)


def formats_named(names: str) -> list[mf.Format]:
    """Return the formats of comma-separated names, in the package's order, each once."""
    known = {format.name: format for format in mf.FORMATS}
    wanted = [name.strip().lower() for name in names.split(",")]
    for name in wanted:
        if name not in known:
            raise InputError(f"format must be one of {', '.join(known)}; got '{name}'")
    return [format for name, format in known.items() if name in wanted]
