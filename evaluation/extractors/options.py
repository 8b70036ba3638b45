"""Options that choose a model: its name, its weights, what only some models take, the device."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field

from evaluation.extractors.registry import MODELS, OPTIONS


@dataclass(frozen=True, kw_only=True)
class ChosenModel:
    """What the command line asks for; `own` are options that only some models take, by name."""

    name: str
    weights: str | None = None
    device: str | None = None
    own: Mapping[str, str | None] = field(default_factory=dict)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the model."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="NAME",
        help=f"{', '.join(MODELS)}, or module:function for one of your own",
    )


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add the option of its weights, and those that only some models take."""
    parser.add_argument(
        "--weights",
        metavar="PATH",
        help="file or folder of the model's weights, or its name on the library's hub; without it "
        "the library's own",
    )
    for option in OPTIONS.values():
        parser.add_argument(f"--{option.name}", metavar=option.metavar, help=option.help)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the option of the device."""
    parser.add_argument("--device", help="where torch runs the model; a GPU where there is one")


def chosen_model(given: argparse.Namespace) -> ChosenModel:
    """Return the model that is asked for."""
    own = {name: getattr(given, name.replace("-", "_")) for name in OPTIONS}
    return ChosenModel(name=given.model, weights=given.weights, device=given.device, own=own)
