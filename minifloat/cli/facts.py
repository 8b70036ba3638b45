"""What is so of one thing: lines of names and values, or an object of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def print_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print facts by name; in JSON one object, where others are lines."""
    if as_json:
        print(json.dumps(facts, default=str))
        return
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        print(f"{name + ':':{width}}{value}")
