"""Which code runs an operator on which device: one module for each backend, one line for each.

A backend has a function for each operator in `minifloat.ops`. Eager serves every device that has
none of its own.
"""

from types import ModuleType

from minifloat.backends import cpu, eager
from minifloat.ops import LIBRARY, OPERATORS

BACKENDS: dict[str, ModuleType] = {
    "CPU": cpu,
    "CompositeExplicitAutograd": eager,
}


def register() -> None:
    """Tell torch of every backend, by dispatch key."""
    for key, backend in BACKENDS.items():
        for operator in OPERATORS:
            LIBRARY.impl(operator.__name__, getattr(backend, operator.__name__), key)
