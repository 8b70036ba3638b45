"""The published study: its thresholds, and the rates that it found.

N. Kolmakov, A. Golubinskiy, "Assessing the influence of floating-point bit depth on speaker
recognition accuracy", Informatics and Automation 25(1), 2026, pp. 176-199. `published.csv` holds
its tables 2 to 4, FAR and FRR in percent, as printed.
"""

import csv
from functools import cache
from pathlib import Path

TABLES = Path(__file__).with_name("published.csv")
# Where the models' authors put the threshold for float32.
THRESHOLDS = {"campplus": 0.381, "redimnet": 0.351, "wavlm": 0.86}
# Values of one embedding, of which its table 1 tells the storage.
DIM = 512


@cache
def published_rates(model: str, pairs: int) -> dict[str, tuple[float, float]]:
    """Return FAR and FRR, shares of 1, by format; none for models and lists not in the paper."""
    with TABLES.open(newline="") as file:
        return {
            line["format"]: (float(line["far"]) / 100, float(line["frr"]) / 100)
            for line in csv.DictReader(file)
            if line["model"] == model and int(line["pairs"]) == pairs
        }
