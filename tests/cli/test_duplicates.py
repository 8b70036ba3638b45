import pytest

import minifloat as mf
from tests.cli.running import fine, refused


@pytest.mark.usefixtures("folder")
def test_pairs_are_those_of_pairs_above() -> None:
    rows = mf.PackedVectors.load("db.safetensors")
    expected = [tuple(pair) for pairs, _ in mf.pairs_above(rows, 0.9) for pair in pairs.tolist()]
    done = fine("duplicates", "db.safetensors", "--threshold", 0.9).table()
    assert [(int(one["row_a"]), int(one["row_b"])) for one in done] == expected
    assert {(3, 50), (4, 51), (5, 52)} <= {*expected}
    named = fine(
        "duplicates", "db.safetensors", "--threshold", 0.9999, "--ids", "ids.txt", "--json"
    )
    assert ("s003", "s050") in {(one["id_a"], one["id_b"]) for one in named.objects()}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("db.safetensors",), "Missing option '--threshold'."),
        (("x.npy", "--threshold", "1"), "x.npy is not a safetensors file: "),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_is_told_in_a_line(words: tuple[str, ...], told: str) -> None:
    assert refused("duplicates", *words).startswith(told)
