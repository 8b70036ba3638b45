"""Which way a search by so many queries takes."""

import minifloat as mf
from minifloat import _C

# Sets that multiply whole numbers with instructions of their own.
FAST_AT_WHOLE_NUMBERS = ("amx", "amx_in_memory", "avx512vnni")


def test_fewer_queries_never_cost_more(format: mf.Format, isa: str) -> None:
    costs = [_C.least_cost(format.index, queries) for queries in range(1, 300)]
    assert costs[0] == 1
    assert costs == sorted(costs)


def test_a_few_queries_cost_little_more_than_one(format: mf.Format, isa: str) -> None:
    # Each row is decoded once for all of them.
    least = _C.least_cost(format.index, 4)
    assert least <= (1.7 if isa in FAST_AT_WHOLE_NUMBERS else 2.2) + 1e-6


def test_many_queries_share_what_a_row_costs(format: mf.Format, isa: str) -> None:
    assert _C.least_cost(format.index, 64) / 64 < _C.least_cost(format.index, 4) / 4 + 1e-6
