"""`minifloat info`: what is here, or what is in a file."""

from __future__ import annotations

import os
from typing import Any

from minifloat.cli import machine
from minifloat.cli import options as on
from minifloat.cli.commands import FINE, WRONG
from minifloat.cli.databases import is_index
from minifloat.cli.errors import InputError, tell
from minifloat.cli.facts import index_facts, print_facts
from minifloat.cli.gathering import bytes_per_row
from minifloat.cli.sources import Source, Wanted, opened
from minifloat.files.headers import opened as header_of
from minifloat.vectors import PackedVectors


def info(
    file: on.Described = None,
    verify: on.Verify = False,
    key: on.Key = None,
    as_json: on.JsonFacts = False,
) -> int:
    """Tell what is in a file, or without one what runs here.

    Files are of packed vectors, of an index, or of float rows.
    Exit code 1 where --verify finds damage.
    """
    if file is None:
        print(machine.described())
        return FINE
    if is_index(file):
        if verify:
            raise InputError("--verify is of packed files; minifloat index check proves an index")
        print_facts(index_facts(file), as_json=as_json)
        return FINE
    source = opened(Wanted(path=file, key=key))
    has_sums = source.packed is not None and file.endswith(".safetensors")
    facts = _facts(file, source) | ({"checksums": _has_checksums(file)} if has_sums else {})
    if verify and not has_sums:
        raise InputError(
            f"--verify is of packed files, .safetensors, which have checksums; got {file}"
        )
    if verify:
        try:
            facts["verified"] = PackedVectors.verify(file)
        except ValueError as error:
            tell("damaged", error)
            return WRONG
    print_facts(facts, as_json=as_json)
    return FINE


def _facts(file: str, source: Source) -> dict[str, Any]:
    """Return what a file of rows is, by name."""
    known: dict[str, Any] = {"file": source.name, "rows": source.rows, "dim": source.dim}
    packed = source.packed
    if packed is None:
        return {"kind": "float rows", **known, "dtype": str(source.dtype).removeprefix("torch.")}
    return {
        "kind": "packed vectors",
        **known,
        "format": packed.format.name,
        "bits": packed.format.bits,
        "bytes_per_row": bytes_per_row(packed),
        "bytes": os.path.getsize(file),
        "estimator": packed.estimator,
        "frame": None if packed.frame is None else str(packed.frame),
        "errors": packed.errors is not None,
    }


def _has_checksums(file: str) -> bool:
    with header_of(file) as (_, layout):
        return layout.sums is not None
