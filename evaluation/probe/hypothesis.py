"""The published hypothesis about which models' values suit four bits, tested on one model.

It has two halves: where a model has residual blocks, the range after its last batch normalisation
suits even E2M1 as it is; elsewhere the range is to be looked at first.
"""

import minifloat as mf
from evaluation.page.notation import count, listed
from evaluation.probe.architecture import Architecture
from evaluation.probe.fits import Fit

FORMAT = mf.E2M1
HYPOTHESIS = (
    f"The published hypothesis: where a model has residual blocks, the range after its last batch "
    f"normalisation suits even {FORMAT.name.upper()} as it is. It promises nothing of other models."
)


def tested(found: Architecture, fit: Fit) -> list[str]:
    """Return in sentences which halves a model has, how it fits FORMAT, and what follows."""
    return [HYPOTHESIS, _blocks(found), _last(found), fit.verdict, _conclusion(found, fit)]


def _blocks(found: Architecture) -> str:
    if found.residual_blocks is None:
        return "Residual blocks: not known, for the model does not run in torch."
    return f"Residual blocks: {count(found.residual_blocks) if found.residual_blocks else 'none'}."


def _last(found: Architecture) -> str:
    if found.ends_in_batch_norm is None:
        return "A last batch normalisation: not known, for the model does not show its layers."
    return f"A last batch normalisation: {'yes' if found.ends_in_batch_norm else 'no'}."


def _conclusion(found: Architecture, fit: Fit) -> str:
    blocks = found.residual_blocks
    halves = {
        "residual blocks": blocks if blocks is None else blocks > 0,
        "last batch normalisation": found.ends_in_batch_norm,
    }
    suits = f"{FORMAT.name.upper()} {'suits' if fit.serves else 'does not suit'} it as it is"
    absent = [f"no {half}" for half, has in halves.items() if has is False]
    if absent:
        return f"The hypothesis promises nothing of this model, with {listed(absent)}; {suits}."
    if None in halves.values():
        return f"Whether the hypothesis is of this model is not known; {suits}."
    holds = "holds" if fit.serves else "does not hold"
    return f"The hypothesis {holds} for this model, which has both: {suits}."
