"""The published study's range probe: what it prints, with all digits.

N. Kolmakov, A. Golubinskiy, "Assessing the influence of floating-point bit depth on speaker
recognition accuracy", Informatics and Automation 25(1), 2026, pp. 176-199. `published.csv` holds
the ranges, by the names that stages have here.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RANGES = Path(__file__).with_name("published.csv")


@dataclass(frozen=True, kw_only=True)
class PublishedRange:
    """The range of the numbers at one stage, as printed; what is not printed is empty."""

    largest: str = ""
    smallest: str = ""
    mean: str = ""
    deviation: str = ""


@dataclass(frozen=True, kw_only=True)
class PublishedArchitecture:
    """What the paper tells of a model: millions of parameters, MB of memory for a clip of 10 s.

    What it does not tell is empty.
    """

    residual_blocks: str = ""
    ends_in_batch_norm: str = ""
    parameters: str = ""
    memory: str = ""


ARCHITECTURES = {
    "campplus": PublishedArchitecture(
        residual_blocks="4", ends_in_batch_norm="yes", parameters="7.2", memory="264.43"
    ),
    "redimnet": PublishedArchitecture(
        residual_blocks="17", ends_in_batch_norm="yes", parameters="5", memory="4615.97"
    ),
    "wavlm": PublishedArchitecture(ends_in_batch_norm="no", parameters="100", memory="487.73"),
}


@cache
def published_ranges(model: str) -> dict[str, PublishedRange]:
    """Return the printed ranges of a model by stage; none of a model that is not in the paper."""
    with RANGES.open(newline="") as file:
        return {
            line["stage"]: PublishedRange(
                largest=line["max"],
                smallest=line["min"],
                mean=line["mean"],
                deviation=line["deviation"],
            )
            for line in csv.DictReader(file)
            if line["model"] == model
        }
