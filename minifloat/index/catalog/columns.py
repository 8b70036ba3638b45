"""What an index keeps of each row beside its id and its vector: columns of SQLite."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

# What Python's types a column takes, and what SQLite calls it.
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "integer": ((int,), "INTEGER"),
    "real": ((float, int), "REAL"),
    "text": ((str,), "TEXT"),
    "blob": ((bytes,), "BLOB"),
    "boolean": ((bool, int), "INTEGER"),
}
_INDEXED = " indexed"
_OWN = ("row", "id", "removed", "vector", "rowid", "oid", "_rowid_")


class Columns(NamedTuple):
    """Columns by name: their types, in order, and those that have an index."""

    types: dict[str, str]
    indexed: tuple[str, ...]

    @staticmethod
    def of(given: Mapping[str, str] | None) -> Columns:
        """Return those that a user declares; ValueError for a name or a type that is none."""
        types, indexed = {}, []
        for name, said in (given or {}).items():
            type = said.removesuffix(_INDEXED)
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name.lower() in _OWN:
                raise ValueError(
                    f"columns are named by letters, digits and _, and not {', '.join(_OWN)}; "
                    f"got {name!r}"
                )
            if type not in _TYPES:
                raise ValueError(
                    f"column {name!r} must be one of {', '.join(_TYPES)}, or one "
                    f"and{_INDEXED} after it; got {said!r}"
                )
            types[name] = type
            if type != said:
                indexed.append(name)
        lowered = [name.lower() for name in types]
        if len(set(lowered)) < len(lowered):
            raise ValueError(f"names of columns must differ in more than case; got {list(types)}")
        return Columns(types, tuple(indexed))

    @staticmethod
    def read(text: str) -> Columns:
        """Return those of a catalog."""
        return Columns.of(json.loads(text))

    def text(self) -> str:
        """Return the text that a catalog keeps of them."""
        return json.dumps(self.declared())

    def declared(self) -> dict[str, str]:
        """Return them as a user declares them."""
        return {name: type + _INDEXED * (name in self.indexed) for name, type in self.types.items()}

    def of_sql(self) -> str:
        """Return what SQLite declares, each after a comma."""
        return "".join(f', "{name}" {_TYPES[type][1]}' for name, type in self.types.items())

    def names_of_sql(self) -> str:
        """Return their names, each after a comma."""
        return "".join(f', "{name}"' for name in self.types)

    def refuse_unknown(self, given: Mapping[str, Any]) -> None:
        """Raise ValueError for a column that is not there."""
        unknown = [name for name in given if name not in self.types]
        if unknown:
            has = f"this index has {', '.join(self.types)}" if self.types else "it has no columns"
            raise ValueError(f"there is no column {unknown[0]!r}: {has}")

    def checked(self, given: Mapping[str, Any], count: int) -> list[list[Any]]:
        """Return the values of so many rows for each column, as SQLite takes them.

        One value is that of all rows, and a column that is not given has none.
        """
        self.refuse_unknown(given)
        return [
            self._values(name, given[name], count) if name in given else [None] * count
            for name in self.types
        ]

    def as_made(self, name: str, values: list[Any]) -> list[Any]:
        """Return values of SQLite as they were given."""
        if self.types[name] == "boolean":
            return [None if value is None else bool(value) for value in values]
        return values

    def _values(self, name: str, given: Any, count: int) -> list[Any]:
        if given is None or isinstance(given, (str, bytes, int, float, np.generic)):
            one = given.item() if isinstance(given, np.generic) else given
            values = [one] * count
        elif isinstance(given, Tensor):
            values = given.tolist()
        elif hasattr(given, "__array__") and not isinstance(given, np.ndarray):
            values = np.asarray(given).tolist()
        else:
            values = given.tolist() if isinstance(given, np.ndarray) else list(given)
        if not isinstance(values, list) or len(values) != count:
            got = len(values) if isinstance(values, list) else 1
            raise ValueError(
                f"column {name!r} must have a value for each of {count} ids; got {got}"
            )
        allowed = _TYPES[self.types[name]][0]
        for type in set(map(type_of, values)) - {*allowed, None}:
            wrong = next(value for value in values if type_of(value) is type)
            raise TypeError(
                f"column {name!r} is {self.types[name]}: it takes "
                f"{' or '.join(one.__name__ for one in allowed)} or None; got {wrong!r}"
            )
        self._check_range(name, values)
        # As SQLite gives them back, which has no bool and no -0.
        if self.types[name] == "real":
            return [None if value is None else float(value) + 0.0 for value in values]
        if self.types[name] == "boolean":
            return [None if value is None else int(value) for value in values]
        return values

    def _check_range(self, name: str, values: list[Any]) -> None:
        type = self.types[name]
        if type in ("integer", "boolean"):
            wrong = [v for v in values if v is not None and not -(2**63) <= v < 2**63]
        elif type == "real":
            wrong = [v for v in values if v is not None and math.isnan(v)]
        else:
            return
        if wrong:
            raise ValueError(f"column {name!r} is {type}, which has no {wrong[0]!r}")


def type_of(value: Any) -> type | None:
    """Return the type of a value; None for None."""
    return None if value is None else type(value)
