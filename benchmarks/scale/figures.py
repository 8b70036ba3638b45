"""Measured figures of a machine, as a plan takes them: of a record, or of anyone's JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import minifloat as mf

RECORD = Path(__file__).parents[1] / "results" / "scale.json"


class Rates(NamedTuple):
    """How fast rows of a format are searched, on all threads of the figures.

    bytes_per_s: of rows, by one query. products_per_s: by the number of queries of a batch.
    """

    bytes_per_s: float
    products_per_s: dict[int, float]


class Figures(NamedTuple):
    """What was measured on a machine.

    cpu: its name. threads: how many the rates are of; dim: of the rows. disk_bytes_per_s: read one
    after the other. round_s: seconds of a round, by the number of ranks and of queries, and
    round_cpu_s those that rank 0's processor is busy with it.
    """

    cpu: str
    threads: int
    dim: int
    formats: dict[str, Rates]
    disk_bytes_per_s: float
    round_s: dict[int, dict[int, float]]
    round_cpu_s: dict[int, dict[int, float]]


def load(path: Path) -> Figures:
    """Return the figures of a file; ValueError for what it must not be, with what is allowed."""
    try:
        data = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} must be JSON; {error}") from error
    # A record has more beside: what was checked, and the study of lists.
    return of(data.get("measure", data) if isinstance(data, dict) else data, str(path))


def of(data: Any, name: str) -> Figures:
    """Return figures of what JSON says; ValueError, with the name, for what they must not be."""
    given = _fields(data, name)
    formats = {
        key: _rates(value, f"{name}: formats.{key}")
        for key, value in _fields(_of(given, "formats", name), f"{name}: formats").items()
    }
    allowed = [str(format) for format in mf.FORMATS]
    for key in formats:
        if key not in allowed:
            raise ValueError(f"{name}: formats must be of {', '.join(allowed)}; got {key!r}")
    return Figures(
        cpu=str(_of(given, "cpu", name)),
        threads=_whole(_of(given, "threads", name), f"{name}: threads"),
        dim=_whole(_of(given, "dim", name), f"{name}: dim"),
        formats=formats,
        disk_bytes_per_s=_number(_of(given, "disk_bytes_per_s", name), f"{name}: disk_bytes_per_s"),
        round_s=_rounds(given, "round_s", name),
        round_cpu_s=_rounds(given, "round_cpu_s", name),
    )


def _rounds(given: Mapping[str, Any], key: str, name: str) -> dict[int, dict[int, float]]:
    return {
        _key(ranks, f"{name}: {key}"): _numbers(times, f"{name}: {key}.{ranks}")
        for ranks, times in _fields(_of(given, key, name), f"{name}: {key}").items()
    }


def _rates(data: Any, name: str) -> Rates:
    given = _fields(data, name)
    rate = _number(_of(given, "bytes_per_s", name), f"{name}.bytes_per_s")
    return Rates(rate, _numbers(_of(given, "products_per_s", name), f"{name}.products_per_s"))


def _numbers(data: Any, name: str) -> dict[int, float]:
    """Return numbers by a number, in its order."""
    given = _fields(data, name)
    found = {_key(key, name): _number(value, f"{name}.{key}") for key, value in given.items()}
    return dict(sorted(found.items()))


def _fields(data: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(data, dict) or not data:
        raise ValueError(f"{name} must be an object of JSON with fields; got {data!r}")
    return data


def _of(given: Mapping[str, Any], key: str, name: str) -> Any:
    if key not in given:
        raise ValueError(f"{name} must have {key}; it has {', '.join(given)}")
    return given[key]


def _key(text: str, name: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{name} must be by whole numbers, at least 1; got {text!r}")
    return int(text)


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number, at least 1; got {value!r}")
    return value


def _number(value: Any, name: str) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be a number above 0; got {value!r}")
    return float(value)
