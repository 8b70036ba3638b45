import re

import pytest
import torch

import minifloat as mf
from benchmarks import few_queries
from benchmarks.few_queries import QUERIES, least, line, longer_than_more
from minifloat import _C


def test_what_takes_over_a_tenth_longer_than_any_larger_number_does_is_marked() -> None:
    times = [1.0, 1.05, 3.0, 2.0, 2.1, 2.5, 2.2]
    assert longer_than_more(times) == [False, False, True, False, False, True, False]
    assert line([0.002, 0.006, 0.005], 0.5) == " 2.000 ms      50%  1.00   3.00<  2.50"
    assert line([0.002, 0.004], None) == " 2.000 ms        -  1.00   2.00"


def test_the_least_time_of_rounds_in_turn_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_queries, "ROUNDS", 3)
    seconds, order = iter([5.0, 1.0, 4.0, 3.0, 6.0, 2.0]), []

    def clock(name: int) -> float:
        order.append(name)
        return next(seconds)

    assert least({1: lambda: clock(1), 2: lambda: clock(2)}) == {1: 4.0, 2: 1.0}
    assert order == [1, 2, 1, 2, 1, 2]


def test_every_instruction_set_format_and_kind_of_queries_has_a_line_of_all_numbers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(few_queries, "ROUNDS", 1)
    asked: list[tuple[str, str, str, int]] = []
    search = mf.search

    def noted(queries: object, database: mf.PackedVectors, k: int) -> object:
        assert isinstance(queries, torch.Tensor | mf.PackedVectors)
        kind = "codes" if isinstance(queries, mf.PackedVectors) else "float32"
        asked.append((_C.isa(), database.format.name, kind, len(queries)))
        return search(queries, database, k)

    monkeypatch.setattr(mf, "search", noted)
    isas = [_C.available_isas()[0], "scalar"]
    monkeypatch.setattr("sys.argv", ["x", "20", "--dim", "2048", "--isa", *isas])
    few_queries.main()
    kinds = [(f.name, kind) for f in mf.FORMATS for kind in ("codes", "float32")]
    assert {*asked} == {(isa, *kind, n) for isa in isas for kind in kinds for n in QUERIES}
    tables = capsys.readouterr().out.split("\n\n")
    assert tables.pop() == ""
    for isa, table in zip(isas, tables, strict=True):
        title, heading, *lines, end = table.splitlines()
        assert title == f"{isa}, 20 rows of 2048, minimum of 1 rounds"
        assert [int(number) for number in heading.split("read")[1].split()] == [*QUERIES]
        assert [tuple(told.split()[:2]) for told in lines] == kinds
        for told in lines:
            assert re.search(rf" ms +\d+%( +[\d.]+<?){{{len(QUERIES)}}}$", told), told
        marked = sum(told.count("<") for told in lines)
        assert end == f"A larger number of queries took less in {marked} places, marked with <."
