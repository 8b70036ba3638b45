import numpy as np
import pytest
import torch

from minifloat.turning import blocks_of, no_turn, random_turn, turned, turned_back
from tests.support.rows import normal

# In blocks of each number, by their ends, and the largest.
SOME_DIMS = [
    1,
    2,
    3,
    7,
    15,
    16,
    17,
    31,
    48,
    80,
    100,
    192,
    240,
    256,
    300,
    511,
    768,
    1000,
    1536,
    2048,
]


def test_a_turn_keeps_all_products_at_every_dim() -> None:
    for dim in range(1, 2049):
        # Of far more values than a row of a matrix has, some tell of all.
        places = torch.arange(0, dim, max(1, dim // 64))
        rows = torch.zeros(len(places), dim).scatter(1, places[:, None], 1)
        turn = random_turn(dim, dim)
        found = turned(rows, turn).double()
        products = found @ found.T / turn.growth
        assert (products - torch.eye(len(rows))).abs().max() < 1e-6, dim


@pytest.mark.parametrize("dim", SOME_DIMS)
def test_what_was_turned_is_turned_back(dim: int) -> None:
    rows = normal(5, dim)
    turn = random_turn(dim, 3)
    torch.testing.assert_close(turned_back(turned(rows, turn), turn), rows, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dim", [dim for dim in SOME_DIMS if dim > 2])
def test_each_value_reaches_all_places(dim: int) -> None:
    found = turned(torch.eye(dim), random_turn(dim, 0))
    # Some of its parts cancel out.
    assert (found != 0).float().mean(1).min() >= 0.4


def test_rows_go_by_blocks_where_there_are_few() -> None:
    found = {dim: blocks_of(dim) for dim in (16, 48, 192, 240, 256, 768, 1, 17, 100, 272)}
    assert found == {
        16: (1, 16),
        48: (3, 16),
        192: (3, 64),
        240: (15, 16),
        256: (1, 256),
        768: (3, 256),
        1: (0, 1),
        17: (0, 16),
        100: (0, 64),
        272: (0, 256),
    }


def test_signs_are_the_first_bits_of_splitmix64() -> None:
    # Its first words for seed 1234567, as published with the generator.
    words = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    expected = [-1.0 if word >> 63 else 1.0 for word in words]
    assert random_turn(48, 1234567).signs[0, :4].tolist() == expected


def test_turns_of_other_seeds_are_others() -> None:
    rows = normal(1, 192)
    found = [turned(rows, random_turn(192, seed)).numpy().tobytes() for seed in range(20)]
    assert len(set(found)) == 20
    np.testing.assert_array_equal(turned(rows, no_turn(192)), rows)
