"""What rank 0 has found out of a database, as the text of a message."""

from __future__ import annotations

import json
from typing import Any

_BYTES = "bytes"


def as_text(plan: Any) -> bytes:
    """Return a plan of texts, numbers, lists and bytes as text."""
    return json.dumps(plan, default=lambda data: {_BYTES: data.hex()}).encode()


def of_text(text: bytes) -> Any:
    """Return the plan of a text."""
    return json.loads(text, object_hook=_made)


def _made(found: dict[str, Any]) -> Any:
    return bytes.fromhex(found[_BYTES]) if found.keys() == {_BYTES} else found
