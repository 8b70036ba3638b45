"""Write the two samples from the full embedding files.

Run it as: python evaluation/samples/make.py FOLDER

FOLDER holds so762-campplus.npz and so762-ge2e.npz. The choice is the same in every run: of the
speakers who sound like another one none, then the first 125 by name, then of each the first 20
utterances by name.
"""

import sys
from pathlib import Path

import numpy as np

MODELS = ("campplus", "ge2e")
SPEAKERS = 125
UTTERANCES = 20
# Pairs that three models hear as one voice, so perhaps one person under two names.
ALIKE = [
    *("0053", "0092", "1037", "1039", "0001", "0003", "0094", "1502", "1503", "5406"),
    *("5432", "8584", "8585", "1418", "1419", "0048", "0075", "3020", "3021", "3412"),
]


def main(folder: Path) -> None:
    """Write so762-campplus.npz and so762-ge2e.npz beside this file."""
    for model in MODELS:
        with np.load(folder / f"so762-{model}.npz") as full:
            speaker, utterance = full["speaker"], full["utterance"]
            clear = [
                name for name in np.unique(speaker) if name.removeprefix("SPEAKER") not in ALIKE
            ]
            rows = [
                row
                for name in clear[:SPEAKERS]
                for row in sorted(np.flatnonzero(speaker == name), key=lambda i: utterance[i])[
                    :UTTERANCES
                ]
            ]
            np.savez_compressed(
                Path(__file__).parent / f"so762-{model}.npz",
                embeddings=full["embeddings"][rows],
                speaker=speaker[rows],
                utterance=utterance[rows],
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
