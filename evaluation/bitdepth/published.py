"""The published study: its thresholds, and the rates that it found.

N. Kolmakov, A. Golubinskiy, "Assessing the influence of floating-point bit depth on speaker
recognition accuracy", Informatics and Automation 25(1), 2026, pp. 176-199. `published.csv` holds
its tables 2 to 4, FAR and FRR in percent, as printed, by the letter of VoxCeleb's list; and what
its text tells of scaled vectors.
"""

import csv
from functools import cache
from pathlib import Path

from evaluation.stored.conditions import Condition
from evaluation.trials.voxceleb import voxceleb_list

TABLES = Path(__file__).with_name("published.csv")
# Where the models' authors put the threshold for float32.
THRESHOLDS = {"campplus": 0.381, "redimnet": 0.351, "wavlm": 0.86}
# Values of one embedding, of which its table 1 tells the storage.
DIM = 512
# How far the threshold moves where FAR and FRR meet, in the words of its conclusions.
SHIFT, SHIFT_OF_WAVLM = "usually under 0.05", "0.86 to about 0.1"
# By whether vectors are scaled, and format.
Rates = dict[tuple[bool, str], tuple[float, float]]


@cache
def published_rates(model: str, pairs: int) -> Rates:
    """Return FAR and FRR, shares of 1, of a model on the list that has so many pairs.

    None for models and lists that are not in the paper.
    """
    of_list = voxceleb_list(pairs)
    if of_list is None:
        return {}
    with TABLES.open(newline="") as file:
        return {
            (line["prepared"] == "scaled", line["format"]): (
                float(line["far"]) / 100,
                float(line["frr"]) / 100,
            )
            for line in csv.DictReader(file)
            if line["model"] == model and line["list"] == of_list.letter
        }


def rates_of(condition: Condition, rates: Rates) -> tuple[float, float] | None:
    """Return those of a condition: it is not told by which of the two scalings they are."""
    if condition.prepared not in ("none", "amax", "maximum"):
        return None
    return rates.get((condition.prepared != "none", condition.name))


def published_shift(model: str, condition: Condition) -> str:
    """Return how far the threshold of a condition as it is moves, in the paper's words."""
    if condition.is_reference or condition.prepared != "none":
        return ""
    collapsed = model == "wavlm" and condition.name == "e2m1"
    return SHIFT_OF_WAVLM if collapsed else SHIFT
