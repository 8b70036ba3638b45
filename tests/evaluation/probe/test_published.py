"""The bit-depth study's probe, transcribed a second time.

N. Kolmakov, A. Golubinskiy, "Assessing the influence of floating-point bit depth on speaker
recognition accuracy", Informatics and Automation 25(1), 2026, pages 176 to 199.
"""

import csv

import numpy as np
import pytest

from evaluation.probe.architecture import Architecture
from evaluation.probe.memory import PeakMemory
from evaluation.probe.published import ARCHITECTURES, RANGES
from evaluation.probe.ranges import SIGNALS, Probed, Range
from evaluation.probe.tables import architecture_table, range_table

# The paper's figures, read off a second time: model and stage, then max, min, mean, deviation.
SECOND_READING = """
campplus filter banks: 11.445 -15.942 -12.437 5.615
campplus before normalisation: 0.179 -0.245 -0.002 0.072
campplus after normalisation: 5.010 -6.509 -0.067 1.979
redimnet waveform: 1 -1 0.333 0.943
redimnet before normalisation: 4.017 -3.639 -0.229 0.891
redimnet after normalisation: 14.575 -14.850 0.287 4.875
wavlm features: 1 -1 0.333 0.943
wavlm before last layer: 0.274 0 0.002 0.014
wavlm after last layer: 0.1790 -0.316 -0.0289
"""
PUBLISHED = ("max", "min", "mean", "standard_deviation")


def found_ranges(stage: str, *, source: str) -> dict[str, Probed]:
    one = Range(largest=9, smallest=-9, mean=0, deviation=1, values=3)
    clip = np.zeros(3, np.float32)
    return {source: Probed(clips=1, taken=clip, ranges={stage: one}, vectors={})}


def row_of(text: str) -> dict[str, str]:
    (row,) = csv.DictReader(text.splitlines())
    return row


def test_every_published_range_is_as_read_a_second_time() -> None:
    with RANGES.open(newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["model", "stage", "max", "min", "mean", "deviation"]
    second = []
    for line in SECOND_READING.strip().splitlines():
        name, numbers = line.split(": ")
        model, _, stage = name.partition(" ")
        second.append([model, stage, *numbers.split(), ""][:6])
    assert lines == second


@pytest.mark.parametrize("line", SECOND_READING.strip().splitlines())
def test_published_figures_stand_beside_the_published_signals_with_all_digits(line: str) -> None:
    name, numbers = line.split(": ")
    model, _, stage = name.partition(" ")
    expected = [*numbers.split(), ""][:4]
    for signal in SIGNALS.values():
        for source in (signal.name, "clips"):
            found = found_ranges(stage, source=source)
            row = row_of(range_table(found, model=model, signal=signal).csv())
            shown = [row[f"{column}_published"] for column in PUBLISHED]
            assert shown == (expected if source == "published signal" else [""] * 4)
    found = found_ranges(stage, source="published signal")
    row = row_of(range_table(found, model="ge2e", signal=SIGNALS["published"]).csv())
    assert [row[f"{column}_published"] for column in PUBLISHED] == [""] * 4


def test_the_papers_architectures_stand_beside_ours() -> None:
    memory = PeakMemory(bytes=3 << 20, of="GPU")
    ours = Architecture(
        residual_blocks=4, ends_in_batch_norm=True, parameters=7_000_000, memory=memory
    )
    expected = {
        "campplus": ["4", "yes", "7.2", "264.43"],
        "redimnet": ["17", "yes", "5", "4615.97"],
        "wavlm": ["", "no", "100", "487.73"],
        "ge2e": ["", "", "", ""],
    }
    assert ARCHITECTURES.keys() == expected.keys() - {"ge2e"}
    for model, published in expected.items():
        row = row_of(architecture_table(ours, model=model).csv())
        assert [text for name, text in row.items() if name.endswith("_published")] == published
        assert [text for name, text in row.items() if not name.endswith("_published")] == [
            *(model, "4", "yes", "7.0", "3.0", "GPU")
        ]
