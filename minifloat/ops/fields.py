"""A request's fields one by one, those of its parts too: what torch lets an operator take.

The functions that make a request of them and take it apart are written by its fields, as
`NamedTuple` writes its own: every call of an operator waits for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import Parameter, Signature
from typing import Any, get_type_hints


def fields(kind: type[Any]) -> dict[str, Any]:
    """Return the types of a request's fields by their names as arguments.

    These leave out the part that a field is in, and rows' data go by the name of their side:
    sides.dim is dim, sides.a.norms is a_norms, sides.a.data is a.
    """
    found = {}
    for place, annotation in _leaves(kind):
        parts = place.removesuffix(".data").split(".")
        found["_".join(parts[1:] or parts)] = annotation
    return found


def making(kind: type[Any]) -> Callable[..., Any]:
    """Return the function that makes a request of its fields."""
    names = fields(kind)
    scope: dict[str, Any] = {"new": tuple.__new__}
    function: Callable[..., Any] = eval(
        f"lambda {', '.join(names)}: {_made(kind, iter(names), scope)}", scope
    )
    return function


def taking_apart(kind: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Return the function that returns the fields of a request."""
    places = ", ".join(f"asked.{place}" for place, _ in _leaves(kind))
    function: Callable[..., Any] = eval(f"lambda asked: ({places},)")
    return function


def signature(names: dict[str, Any], answer: Any) -> Signature:
    """Return the signature of a function of such arguments."""
    by_place = Parameter.POSITIONAL_OR_KEYWORD
    parameters = [Parameter(name, by_place, annotation=kind) for name, kind in names.items()]
    return Signature(parameters, return_annotation=answer)


def _leaves(kind: type[Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Yield where each field is and its type."""
    for name, annotation in get_type_hints(kind).items():
        if _is_part(annotation):
            yield from _leaves(annotation, f"{within}{name}.")
        else:
            yield within + name, annotation


def _made(kind: type[Any], names: Iterator[str], scope: dict[str, Any]) -> str:
    """Return the text that makes a request, or a part of one, and put the kinds in its scope."""
    scope[kind.__name__] = kind
    parts = [
        _made(annotation, names, scope) if _is_part(annotation) else next(names)
        for annotation in get_type_hints(kind).values()
    ]
    return f"new({kind.__name__}, ({', '.join(parts)},))"


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, tuple)
