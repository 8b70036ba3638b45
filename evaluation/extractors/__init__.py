"""Speaker embedding models, one in each file, that load their library when they are asked for."""

import importlib

import torch

from evaluation.command.errors import InputError
from evaluation.extractors.custom import Custom
from evaluation.extractors.extractor import Extractor, StagedExtractor
from evaluation.extractors.registry import MODELS

__all__ = ["Extractor", "StagedExtractor", "load_extractor"]


def load_extractor(
    name: str,
    *,
    weights: str | None = None,
    code: str | None = None,
    device: str | None = None,
) -> Extractor:
    """Return the model of a name in MODELS, or that of `module:function`.

    `weights` is a path, or a name on the library's own hub; None takes the library's default.
    `code` is the folder of the model's source where no package has it. `device` is what torch
    calls it; None takes a GPU where there is one.
    """
    if ":" in name:
        for option, value in (("weights", weights), ("code", code), ("device", device)):
            if value is not None:
                raise InputError(f"--{option} is for models by name; got '{value}' for '{name}'")
        return Custom(name)
    if name not in MODELS:
        raise InputError(
            f"model must be one of {', '.join(MODELS)}, or module:function; got '{name}'"
        )
    if code is not None and name != "redimnet":
        raise InputError(f"--code is for redimnet; {name} comes with its library; got '{code}'")
    place = _device(device)
    module, kind = MODELS[name]
    loaded = getattr(importlib.import_module(f"{__name__}.{module}"), kind)
    given = {} if code is None else {"code": code}
    extractor: Extractor = loaded(weights=weights, device=place, **given)
    return extractor


def _device(name: str | None) -> torch.device:
    chosen = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(chosen)
        torch.empty(1, device=device)
    # torch raises errors of many kinds for devices that it does not have.
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"--device must be one that torch has; got '{chosen}': {reason}"
        ) from error
    return device
