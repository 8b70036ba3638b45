import json
from pathlib import Path

import numpy as np
import pytest
import torch

import minifloat as mf
from benchmarks.data import Neighbours
from benchmarks.recall.__main__ import main, table
from benchmarks.recall.sets import OFFSET, QUERIES, Data, K, data
from benchmarks.recall.ways import WAYS
from tests.support.paths import ROOT
from tests.support.rows import normal

ROWS = 600
CENTRED = ("float32, centred", "E2M1, centred")


@pytest.fixture(scope="module")
def sets() -> dict[str, Data]:
    return {some.name: some for some in data(ROWS)}


def test_every_recording_is_a_row_and_a_query_and_all_have_length_one(
    sets: dict[str, Data],
) -> None:
    for name, some in sets.items():
        sizes = (2500, 2500) if name.startswith(("CAM++", "GE2E")) else (ROWS, QUERIES)
        assert (len(some.near.rows), len(some.near.queries)) == sizes
        for x in (some.near.rows, some.near.queries):
            assert torch.allclose(x.norm(dim=1), torch.ones(len(x)), atol=1e-5)


def test_an_offset_is_the_share_that_the_mean_holds(sets: dict[str, Data]) -> None:
    def held(name: str) -> float:
        return float(sets[name].near.rows.mean(0).square().sum())

    assert held("clusters, offset") == pytest.approx(OFFSET, abs=0.03)
    assert held("random") < 0.03


MEASURED = [format for format in mf.FORMATS if format.name.upper() in {way.name for way in WAYS}]


@pytest.mark.parametrize("format", MEASURED, ids=str)
def test_a_row_takes_the_bytes_of_its_packed_vectors(
    format: mf.Format, sets: dict[str, Data]
) -> None:
    (way,) = (way for way in WAYS if way.name == format.name.upper())
    packed = mf.quantize(sets["GE2E"].near.rows, format)
    assert way.bytes(packed.dim) == packed.nbytes / len(packed)


@pytest.mark.parametrize("searched", ["E2M1", "E2M1, centred"])
def test_rescoring_in_float32_finds_the_nearest_of_the_first(
    searched: str, sets: dict[str, Data]
) -> None:
    (way,) = (way for way in WAYS if way.name == f"{searched}, 100 rescored in float32")
    near = sets["GE2E"].near
    few = Data("few", Neighbours.of(near.rows[:100], near.queries, K))
    assert way.find(few.job(mf.E2M1)) == 1


def test_rows_less_their_mean_are_judged_as_they_are(sets: dict[str, Data]) -> None:
    shares = {way.name: way.find(sets["GE2E"].job(mf.E2M1)) for way in WAYS if way.name in CENTRED}
    # Where the nearest have other angles, more bits find them no better.
    assert shares["E2M1, centred"] <= shares["float32, centred"] < 0.9


def test_the_command_tells_and_records_the_recall_of_every_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("tqdm", "faiss", "turbovec", "usearch"):
        pytest.importorskip(package)
    out = tmp_path / "recall.jsonl"
    few = tmp_path / "few.npz"
    numbers = np.arange(ROWS)
    np.savez(few, embeddings=normal(ROWS, 64).numpy() + 1, speaker=numbers // 4)
    main(["--rows", str(ROWS), "--embeddings", str(few), "--out", str(out)])
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert capsys.readouterr().out == table(records) + "\n"
    for record in records:
        assert set(record["recall"]) == {way.name for way in WAYS}
        # With an offset some packages find little in 4 bits.
        least = 0.5 if record["data"] == "random" else 0.05
        assert min(record["recall"].values()) > least
        assert max(record["recall"].values()) <= 1
        assert 0 < record["standard_error"] < 0.05


def test_the_page_has_the_recorded_table() -> None:
    recorded = (ROOT / "benchmarks" / "results" / "recall.jsonl").read_text().splitlines()
    page = (ROOT / "docs" / "how-to" / "choosing.md").read_text()
    assert table([json.loads(line) for line in recorded]) in page
