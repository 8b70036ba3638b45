"""What is so of one thing: lines of names and values, or an object of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from minifloat.index import Index


def print_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print facts by name; in JSON one object, where others are lines."""
    if as_json:
        print(json.dumps(facts, default=str))
        return
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        print(f"{name + ':':{width}}{value}")


def index_facts(path: str) -> dict[str, Any]:
    """Return what an index holds, by name."""
    index = Index.open(path)
    try:
        return {"kind": "index", "file": path, **asdict(index.stats())}
    finally:
        index.close()
