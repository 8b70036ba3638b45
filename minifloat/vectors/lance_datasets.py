"""Data sets of Lance that are there, of packed vectors, and what is said of all others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minifloat.vectors import arrow
from minifloat.vectors.required import required

# The column of the rows.
COLUMN = "vectors"

# The oldest that was tried.
_OLDEST = (2, 0, 1)

# A data set is opened, read once and let go, for which pylance would keep up to 7 GiB.
_CACHES = {"index_cache_size_bytes": 1 << 20, "metadata_cache_size_bytes": 1 << 26}

# How many versions an error names.
_SHOWN = 9

Options = Mapping[str, str] | None


def pylance() -> Any:
    """Return pylance; ImportError where it is missing or too old."""
    lance = required("lance", needs="data sets of Lance need pylance", extra="lance")
    found = tuple(int(part) for part in lance.__version__.split(".")[:3] if part.isdigit())
    if found < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise ImportError(
            f"data sets of Lance need pylance {oldest} or later; got {lance.__version__}: "
            "pip install 'minifloat[lance]'"
        )
    return lance


def opened(uri: str | Path, version: int | str | None, storage_options: Options) -> Any:
    """Return a data set in a version, None for the newest.

    Raises FileNotFoundError where there is none, OSError where the store does not tell, and
    ValueError for a version that is not there.
    """
    options = None if storage_options is None else dict(storage_options)
    try:
        return pylance().dataset(str(uri), version=version, storage_options=options, **_CACHES)
    except ValueError as error:
        if version is not None:
            _refuse_version(opened(uri, None, storage_options), uri, version)
            raise
        if "Not found:" in str(error):
            raise FileNotFoundError(
                f"{uri} holds no Lance data set; minifloat.vectors.lance.write makes one"
            ) from error
        # By pylance a store that does not answer is a value that is wrong.
        raise OSError(f"{uri} cannot be opened: {error}") from error


def type_in(dataset: Any, uri: str | Path) -> Any:
    """Return the type of the rows of a data set; ValueError for one of another kind."""
    schema = dataset.schema
    if COLUMN in schema.names and arrow.is_vectors(schema.field(COLUMN).type):
        return schema.field(COLUMN).type
    held = ", ".join(f"{field.name}: {field.type}" for field in schema)
    raise ValueError(
        f"{uri} must have a column {COLUMN!r} of type {arrow.NAME}, as write makes it; it has "
        f"{held}. PackedVectors.from_arrow reads rows of other columns"
    )


def refuse_unlike(dataset: Any, uri: str | Path, schema: Any) -> None:
    """Raise ValueError for rows or columns of a schema that a data set has not."""
    known = arrow.facts_of(type_in(dataset, uri))
    given = arrow.facts_of(schema.field(COLUMN).type)
    if known != given:
        raise ValueError(f"{uri} has rows of {known}, and takes no others; got {given}")
    names = [[name for name in one.names if name != COLUMN] for one in (dataset.schema, schema)]
    has, got = (", ".join(sorted(some)) or "none" for some in names)
    if has != got:
        raise ValueError(f"{uri} has, beside its rows, these columns: {has}; got {got}")


def _refuse_version(dataset: Any, uri: str | Path, version: int | str) -> None:
    numbers, tags = [one["version"] for one in dataset.versions()], [*dataset.tags.list()]
    if version in (*numbers, *tags):
        return
    newest = f"the newest {_SHOWN} of {len(numbers)} are " if len(numbers) > _SHOWN else ""
    known = ", ".join([*map(str, numbers[-_SHOWN:]), *map(repr, tags)])
    raise ValueError(f"version must be one that {uri} has: {newest}{known}; got {version!r}")
