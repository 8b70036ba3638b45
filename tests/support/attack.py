"""What runs when a pickle is loaded, as strangers write it."""

from pathlib import Path
from typing import Any


class Attack:
    """An object whose pickle makes a file, the victim."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.victim,)
