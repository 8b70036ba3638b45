"""Indexes of other libraries come over with their ids, and find what they found."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import minifloat as mf


@pytest.fixture(scope="module")
def rows() -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((50, 32), np.float32).repeat(20, 0)
    rows = centres + 0.5 * rng.standard_normal(centres.shape, np.float32)
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def share(found: NDArray[Any], expected: NDArray[Any]) -> float:
    pairs = zip(found.tolist(), expected.tolist(), strict=True)
    return float(np.mean([len({*a} & {*b}) / len(b) for a, b in pairs]))


@pytest.mark.parametrize("kind", ["Flat", "SQ8", "SQ6", "IDMap2,Flat", "IDMap,SQ8", "IVF8,Flat"])
def test_rows_of_faiss_come_over(kind: str, rows: NDArray[np.float32]) -> None:
    faiss = pytest.importorskip("faiss", reason="scripts/test --recipes faiss has FAISS")
    from examples.recipes.coming_from_faiss import imported

    there = faiss.index_factory(32, kind, faiss.METRIC_INNER_PRODUCT)
    there.train(rows)
    ids = np.arange(1000)
    if kind.startswith("IDMap"):
        ids = np.random.default_rng(1).permutation(1000) + 10**12
        there.add_with_ids(rows, ids)
    else:
        there.add(rows)
    if kind.startswith("IVF"):
        there.nprobe = 8
    here = imported(there)
    assert len(here) == 1000
    _, expected = there.search(rows, 10)
    scores, found = here.search(rows, 10)
    assert (found[:, 0] == ids).all()
    assert scores[:, 0].min() > 0.995
    assert share(found, expected) > 0.95


@pytest.mark.parametrize("kind", ["IVF8,Flat", "IVF8,SQ8", "PCA32,IVF8,Flat", "IDMap,IVF8,Flat"])
def test_rows_of_inverted_files_of_faiss_keep_their_own_ids(
    kind: str, rows: NDArray[np.float32]
) -> None:
    faiss = pytest.importorskip("faiss", reason="scripts/test --recipes faiss has FAISS")
    from examples.recipes.coming_from_faiss import imported

    there = faiss.index_factory(32, kind, faiss.METRIC_INNER_PRODUCT)
    there.train(rows)
    ids = np.random.default_rng(1).permutation(1000) + 10**12
    there.add_with_ids(rows, ids)
    if not kind.startswith("IDMap"):
        there.remove_ids(ids[:100])
        ids, rows = ids[100:], rows[100:]
    here = imported(there)
    assert len(here) == len(ids)
    scores, found = here.search(rows, 1)
    assert (found[:, 0] == ids).all()
    assert scores.min() > 0.995


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16", "i8", "e5m2", "e4m3", "e3m2"])
def test_rows_of_usearch_come_over(dtype: str, rows: NDArray[np.float32]) -> None:
    usearch = pytest.importorskip(
        "usearch.index", reason="scripts/test --recipes usearch has USearch"
    )
    from examples.recipes.coming_from_usearch import imported

    keys = np.random.default_rng(1).permutation(1000) + 10**12
    there = usearch.Index(ndim=32, metric="cos", dtype=dtype)
    there.add(keys, rows)
    here = imported(there)
    assert len(here) == 1000
    exact = usearch.search(rows, rows, 10, exact=True).keys.astype(np.int64)
    scores, found = here.search(rows, 10)
    assert (found[:, 0] == keys).all()
    few = dtype.startswith("e")
    assert scores[:, 0].min() > (0.98 if few else 0.995)
    assert share(found, keys[exact]) > (0.7 if few else 0.95)


def test_bits_and_keys_of_usearch_that_are_no_ids_are_refused(rows: NDArray[np.float32]) -> None:
    usearch = pytest.importorskip(
        "usearch.index", reason="scripts/test --recipes usearch has USearch"
    )
    from examples.recipes.coming_from_usearch import imported

    bits = usearch.Index(ndim=32, metric="hamming", dtype="b1")
    bits.add(np.arange(1000), np.packbits(rows > 0, axis=1))
    with pytest.raises(ValueError, match="got an index of bits"):
        imported(bits)
    large = usearch.Index(ndim=32, metric="cos", dtype="f32")
    large.add(np.arange(1000, dtype=np.uint64) + np.uint64(2**63), rows)
    with pytest.raises(ValueError, match="keys must be below 2"):
        imported(large)


def test_turbovec_is_as_its_table_says(rows: NDArray[np.float32]) -> None:
    turbovec = pytest.importorskip("turbovec", reason="scripts/test --recipes turbovec has it")
    there = turbovec.TurboQuantIndex(32, 4)
    sample = rows[::2].copy()
    there.calibrate(sample)
    there.add(rows * 3)
    here = mf.quantize(rows * 3, "e2m1", frame=mf.Frame.fit(sample))
    scores, found = there.search(rows[:100] * 3, 10)
    ours, expected = mf.search(rows[:100] * 3, here, 10)
    assert scores.max() > 8
    assert ours.max() <= 1
    assert share(found, expected) > 0.7

    mask = np.arange(1000) < 3
    assert there.search(rows[:2], 10, mask=mask)[1].shape == (2, 3)
    with pytest.raises(ValueError, match="k"):
        mf.search(rows[:2], here, 10, mask=mask)
    _, found = there.search(rows[:2], 3, mask=mask)
    np.testing.assert_array_equal(
        np.sort(found), np.sort(mf.search(rows[:2], here, 3, mask=mask)[1])
    )

    named = turbovec.IdMapIndex(32, 4)
    ids = np.arange(1000, dtype=np.uint64) + 7
    named.add_with_ids(rows, ids)
    _, allowed = named.search(rows[:2], 3, allowlist=ids[:3])
    assert {*allowed.ravel().tolist()} == {7, 8, 9}
    with pytest.raises(ValueError, match="multiple of 8"):
        turbovec.TurboQuantIndex(31, 4)
    assert len(mf.quantize(rows[:, :31], "e2m1")) == 1000
