"""docs/how-to/inner-products.md: its figures are measured."""

import numpy as np
import pytest
from numpy.typing import NDArray

import minifloat as mf

ROWS, DIM, QUERIES, K = 10_000, 192, 100, 10


def common(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    return float(np.mean([len({*x} & {*y}) / K for x, y in zip(a, b, strict=True)]))


@pytest.mark.parametrize(
    ("format", "by_cosine", "by_column", "of_one_length"),
    [("e3m4", 0.27, 0.98, 0.97), ("e2m1", 0.25, 0.78, 0.86)],
)
def test_inner_products_are_found_by_lengths_or_a_column_more(
    format: str, by_cosine: float, by_column: float, of_one_length: float
) -> None:
    chance = np.random.default_rng(0)
    unit = chance.standard_normal((ROWS, DIM))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    x = unit * np.exp(chance.uniform(np.log(0.5), np.log(2), (ROWS, 1)))
    queries = chance.standard_normal((QUERIES, DIM))
    expected = np.argsort(-(queries @ x.T), axis=1)[:, :K]
    database = mf.quantize(x, format)
    _, found = mf.search(queries, database, K)
    assert common(found, expected) == pytest.approx(by_cosine, abs=0.03)

    lengths = np.linalg.norm(x, axis=1)
    inner = mf.scores(queries, database) * np.linalg.norm(queries, axis=1)[:, None] * lengths
    np.testing.assert_allclose(inner, queries @ x.T, atol=0.15 if format == "e3m4" else 1.5)
    by_lengths = np.argsort(-inner, axis=1)[:, :K]
    assert common(by_lengths, expected) >= of_one_length - 0.03

    rest = np.sqrt(np.maximum(lengths.max() ** 2 - lengths**2, 0))
    longer = mf.quantize(np.column_stack([x, rest]), format)
    _, found = mf.search(np.column_stack([queries, np.zeros(QUERIES)]), longer, K)
    assert common(found, expected) == pytest.approx(by_column, abs=0.03)

    expected = np.argsort(-(queries @ unit.T), axis=1)[:, :K]
    _, found = mf.search(queries, mf.quantize(unit, format), K)
    assert common(found, expected) == pytest.approx(of_one_length, abs=0.03)
