"""Speaker embedding models, one in each file, that load their library when they are asked for."""

import torch

from evaluation.command.errors import InputError
from evaluation.extractors.custom import Custom
from evaluation.extractors.extractor import Extractor, NetworkExtractor, StagedExtractor
from evaluation.extractors.registry import MODELS, OPTIONS

__all__ = ["Extractor", "NetworkExtractor", "StagedExtractor", "load_extractor"]


def load_extractor(
    name: str,
    *,
    weights: str | None = None,
    device: str | None = None,
    **own: str | None,
) -> Extractor:
    """Return the model of a name in MODELS, or that of `module:function`.

    `weights` is a path, or a name on the library's own hub; None takes the library's default.
    `device` is what torch calls it; None takes a GPU where there is one. `own` are the options
    of some models alone, such as `code`; None are those that are not given.
    """
    if ":" in name:
        for option, value in (("weights", weights), *own.items(), ("device", device)):
            if value is not None:
                raise InputError(f"--{option} is for models by name; got '{value}' for '{name}'")
        return Custom(name)
    if name not in MODELS:
        raise InputError(
            f"model must be one of {', '.join(MODELS)}, or module:function; got '{name}'"
        )
    model = MODELS[name]
    given = {option: value for option, value in own.items() if value is not None}
    for option, value in given.items():
        if OPTIONS[option] not in model.takes:
            takers = [one.name for one in MODELS.values() if OPTIONS[option] in one.takes]
            raise InputError(
                f"--{option} is for {', '.join(takers)}; {name} {OPTIONS[option].otherwise}; got "
                f"'{value}'"
            )
    return model.load(weights=weights, device=_device(device), **given)


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
