"""Packed vectors as columns of Apache Arrow, of a type that says what their bytes are.

To import this registers the type, so that pyarrow knows it in whatever it reads afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, get_args

from torch import Tensor

from minifloat.files.stored import Stored
from minifloat.vectors import arrow_bytes, row_bytes
from minifloat.vectors.arrow_bytes import Storage, pa
from minifloat.vectors.row_facts import RowFacts
from minifloat.vectors.told import Told

NAME = "minifloat.vectors"


_ExtensionType: Any = pa.ExtensionType


class VectorsType(_ExtensionType):  # type: ignore[misc]
    """The type of a column of packed vectors: how their bytes are stored, and what they are.

    text is looked at when rows are wanted: what this version cannot read hides no other column.
    """

    def __init__(self, storage: Any, text: bytes) -> None:
        self.text = text
        super().__init__(storage, NAME)

    def __arrow_ext_serialize__(self) -> bytes:
        return self.text

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: Any, text: bytes) -> VectorsType:
        return cls(storage, text)

    def __eq__(self, other: object) -> bool:
        """Return whether rows are stored alike and of one kind, which pyarrow would not look at."""
        return is_vectors(other) and _parts(self) == _parts(other)

    def __ne__(self, other: object) -> bool:
        # Else pyarrow's own would answer.
        return not self == other

    def __hash__(self) -> int:
        return hash(_parts(self))


def is_vectors(type: object) -> bool:
    """Return whether a type of Arrow is that of packed vectors."""
    return isinstance(type, pa.BaseExtensionType) and type.extension_name == NAME


def type_of(facts: RowFacts, storage: Storage) -> VectorsType:
    """Return the type of a column of such rows."""
    if storage not in get_args(Storage):
        raise ValueError(f"storage must be one of binary, list; got {storage!r}")
    return VectorsType(arrow_bytes.storage_type(storage, facts.row_bytes), facts.text().encode())


def facts_of(type: Any) -> RowFacts:
    """Return what a type of packed vectors says of its rows."""
    return RowFacts.read(type.__arrow_ext_serialize__())


def array_of(rows: Stored, storage: Storage) -> Any:
    """Return an array of rows in main memory, with a copy of their bytes."""
    facts = RowFacts.of(rows)
    type = type_of(facts, storage)
    rows.refuse_impossible("these rows cannot be handed on")
    laid = row_bytes.laid({name: getattr(rows, name) for name in facts.fields}, facts)
    return pa.ExtensionArray.from_storage(type, arrow_bytes.stored(laid, storage))


def rows_of(column: Any, told: Told) -> Stored:
    """Return the rows of an array, chunked or not, in memory of their own."""
    if not isinstance(column, (pa.Array, pa.ChunkedArray)):
        if not hasattr(column, "__arrow_c_stream__"):
            raise TypeError(f"column must be a column of Arrow; got {type(column).__name__}")
        column = pa.chunked_array(column)
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    if is_vectors(column.type):
        facts = told.agreeing(facts_of(column.type))
        chunks = [chunk.storage for chunk in chunks]
    else:
        widths = (arrow_bytes.width_of(chunk) for chunk in chunks)
        facts = told.facts(next((width for width in widths if width is not None), None))
    fields, first = facts.empty(len(column)), 0
    for chunk in chunks:
        take_apart(chunk, facts, fields, first)
        first += len(chunk)
    return facts.rows(fields)


def take_apart(storage: Any, facts: RowFacts, fields: Mapping[str, Tensor], first: int) -> None:
    """Write the rows of an array into fields, from a row on."""
    rows = arrow_bytes.rows_of(storage, facts.row_bytes, first)
    row_bytes.take_apart(rows, facts, fields, first)


def _parts(type: Any) -> tuple[Any, bytes]:
    return type.storage_type, type.__arrow_ext_serialize__()


# One that was registered before is of an older copy of this module.
with suppress(pa.ArrowKeyError):
    pa.unregister_extension_type(NAME)
pa.register_extension_type(VectorsType(pa.binary(1), b""))
