"""What a column of Arrow says of its rows, what a caller says, and what neither may."""

import json
import re
from typing import Any

import numpy as np
import pytest

import minifloat as mf
from tests.support.rows import normal

pa = pytest.importorskip("pyarrow")

X = normal(60, 48) + 1
FRAME = mf.Frame.fit(X, 2)
ROWS = mf.quantize(X, "e2m1")
FRAMED = mf.quantize(X, "e2m1", frame=FRAME)


def refused(column: Any, message: str, **said: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        mf.PackedVectors.from_arrow(column, **said)


def typed(rows: mf.PackedVectors, **changes: Any) -> Any:
    """A column whose type says something else."""
    column = rows.to_arrow()
    text = json.dumps(json.loads(column.type.text) | changes).encode()
    return pa.ExtensionArray.from_storage(
        type(column.type)(column.storage.type, text), column.storage
    )


def test_what_is_said_must_be_what_the_type_says() -> None:
    column = FRAMED.to_arrow()
    same = mf.PackedVectors.from_arrow(
        column, format=mf.E2M1, dim=48, frame=mf.Frame.fit(X, 2), estimator="unbiased"
    )
    assert same == FRAMED
    other = mf.Frame.fit(X, 1)
    refused(column, "the column says format e2m1; got e4m3", format="e4m3")
    refused(column, "the column says dim 48; got 47", dim=47)
    refused(column, "the column says estimator unbiased; got norm", estimator="norm")
    refused(column, f"the column says frame {FRAME}; got {other}", frame=other)
    refused(ROWS.to_arrow(), f"the column says frame None; got {FRAME}", frame=FRAME)


def test_the_callers_frame_keeps_its_feedback() -> None:
    x = normal(600, 48) + 1
    frame = mf.Frame.fit(x, feedback="force")
    rows = mf.quantize(x, "e2m1", frame=frame, rounding="feedback")
    found = mf.PackedVectors.from_arrow(rows.to_arrow())
    assert found == rows
    assert found.frame is not None
    assert found.frame.feedback is None
    assert mf.PackedVectors.from_arrow(rows.to_arrow(), frame=frame).frame is frame


@pytest.mark.parametrize("errors", [False, True])
def test_bytes_alone_are_what_the_caller_says(errors: bool) -> None:
    rows = mf.quantize(X, "e2m1", frame=FRAME, errors=errors)
    bare = rows.to_arrow().storage
    assert mf.PackedVectors.from_arrow(bare, format="float4_e2m1fn", dim=48, frame=FRAME) == rows
    needs = (
        "the column does not say what its bytes are, as a column of type minifloat.vectors does; "
        "say it: {} must be given, and frame where rows are in one"
    )
    refused(bare, needs.format("format, dim"))
    refused(bare, needs.format("dim"), format="e2m1")
    refused(bare, needs.format("format"), dim=48)
    width = 36 + errors
    kind = f"dim 48 in e2m3 in frame {FRAME.digest}, estimator unbiased"
    message = f"rows of {kind} have 48 bytes, and with errors one more; the column's have {width}"
    refused(bare, message, format="e2m3", dim=48, frame=FRAME)
    refused(bare, "dim must be in 1..1073741824; got 0", format="e2m1", dim=0)
    refused(bare, "dim must be in 1..1073741824; got 4.5", format="e2m1", dim=4.5)
    refused(bare, "the frame must have dim 47; got 48", format="e2m1", dim=47, frame=FRAME)
    refused(bare, "format must be one of", format="e9m9", dim=48)
    estimators = "estimator must be one of norm, unbiased; got 'mean'"
    refused(bare, estimators, format="e2m1", dim=48, estimator="mean")


def test_bytes_of_other_rows_are_refused_by_their_norms() -> None:
    message = "these are no rows of dim 40 in e2m1, estimator norm: row 0 has reciprocal norm "
    column = mf.quantize(X[:, :20], "e4m3").to_arrow()
    refused(column.storage, message, format="e2m1", dim=40)
    rows = mf.quantize(X, "e2m1")
    rows.reciprocal_norms[7] = -1
    with pytest.raises(ValueError, match=r"^these rows cannot be handed on: row 7 has reciproc"):
        rows.to_arrow()


@pytest.mark.parametrize("storage", ["binary", "list"])
def test_rows_that_are_null_are_named(storage: Any) -> None:
    column = ROWS.to_arrow(storage=storage)
    values = column.storage.to_pylist()
    values[41] = None
    kind = column.storage.type
    nulls = pa.array(values, kind)
    message = "row 41 is null; each row must have its 28 bytes"
    whole = pa.ExtensionArray.from_storage(column.type, nulls)
    refused(whole, message)
    refused(whole[40:], "row 1 is null")
    refused(pa.chunked_array([whole[:30], whole[30:]]), message)
    for variable in (
        (pa.large_binary(), pa.binary()) if storage == "binary" else (pa.list_(pa.uint8()),)
    ):
        refused(nulls.cast(variable)[1:], "row 40 is null", format="e2m1", dim=48)


def test_a_byte_that_is_null_is_named() -> None:
    values = ROWS.to_arrow(storage="list").storage.to_pylist()
    values[9][3] = None
    for kind in (pa.list_(pa.uint8(), 28), pa.list_(pa.uint8())):
        column = pa.array(values, kind)
        refused(column, "row 9 has a byte that is null", format="e2m1", dim=48)
        refused(column[4:], "row 5 has a byte that is null", format="e2m1", dim=48)


def test_rows_of_another_length_are_named() -> None:
    values = ROWS.to_arrow().storage.to_pylist()
    values[33] = values[33][:-1]
    for kind, rows in (
        (pa.binary(), values),
        (pa.large_binary(), values),
        (pa.list_(pa.uint8()), [[*row] for row in values]),
    ):
        column = pa.array(rows, kind)
        message = "row 33 has 27 bytes; each must have 28"
        refused(column, message, format="e2m1", dim=48)
        refused(pa.chunked_array([column[:20], column[20:]]), message, format="e2m1", dim=48)
    column = ROWS.to_arrow()
    other = pa.array(ROWS[:3].to_arrow().storage.cast(pa.binary()).to_pylist(), pa.binary(28))
    kind = type(column.type)(pa.binary(27), column.type.text)
    short = pa.array([row.as_py()[:27] for row in other], pa.binary(27))
    refused(pa.ExtensionArray.from_storage(kind, short), "row 0 has 27 bytes; each must have 28")


def test_what_holds_no_bytes_is_refused() -> None:
    allowed = (
        "packed vectors come as fixed-size or other binary, or as fixed-size or other lists of "
        "uint8; got "
    )
    for column in (
        pa.array([1, 2]),
        pa.array(["a"]),
        pa.array([[1, 2]], pa.list_(pa.int8(), 2)),
        pa.array([[1.0]], pa.list_(pa.float32())),
    ):
        with pytest.raises(TypeError, match=f"^{re.escape(allowed + str(column.type))}$"):
            mf.PackedVectors.from_arrow(column, format="e2m1", dim=4)
    for what in (np.zeros(3), [b"x"], ROWS):
        name = type(what).__name__
        with pytest.raises(TypeError, match=f"^column must be a column of Arrow; got {name}$"):
            mf.PackedVectors.from_arrow(what, format="e2m1", dim=4)


def test_a_storage_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^storage must be one of binary, list; got 'bytes'$"):
        ROWS.to_arrow(storage="bytes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version must be 1; got 2"),
        ({"format": "e9m9"}, "format must be one of"),
        ({"dim": 0}, "dim must be in 1..1073741824; got 0"),
        ({"dim": True}, "dim must be in 1..1073741824; got True"),
        ({"dim": 1 << 62}, "dim must be in 1..1073741824; got 4611686018427387904"),
        ({"dim": "48"}, "dim must be in 1..1073741824; got '48'"),
        ({"estimator": "mean"}, "estimator must be one of norm, unbiased; got 'mean'"),
        ({"fields": ["codes"]}, "fields must be reciprocal_norms, codes; got ['codes']"),
        ({"fields": None}, "does not say what rows are"),
        ({"frame": []}, "does not say what rows are"),
        ({"frame": {"axes": ""}}, "is none"),
        ({"frame": {"axes": "?"}}, "does not say what rows are"),
        ({"frame": 4}, "does not say what rows are"),
    ],
)
def test_a_type_that_says_what_no_rows_are_is_refused(changes: Any, message: str) -> None:
    refused(typed(ROWS, **changes), message)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"4", b"null", b"\xff", b"[" * 100_000])
def test_a_type_that_says_nothing_is_refused_and_hides_no_other_column(text: bytes) -> None:
    column = ROWS.to_arrow()
    kind = type(column.type)(column.storage.type, text)
    table = pa.table({"v": pa.ExtensionArray.from_storage(kind, column.storage), "i": range(60)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    found = pa.ipc.open_stream(sink.getvalue()).read_all()
    assert found["i"].to_pylist() == [*range(60)]
    refused(found["v"], "does not say what rows are")


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("rotate", 1),
        ("seed", -1),
        ("shares", [2.5]),
        ("next_share", None),
        ("digest", "0" * 16),
        ("axes", "AAAA"),
        ("axes", "AAAAAA=="),
    ],
)
def test_facts_of_no_frame_are_refused(fact: str, value: object) -> None:
    frame = json.loads(FRAMED.to_arrow().type.text)["frame"] | {fact: value}
    refused(typed(FRAMED, frame=frame), "does not say what rows are")


def test_a_key_that_is_there_twice_is_refused() -> None:
    column = ROWS.to_arrow()
    text = column.type.text.replace(b'"dim":48', b'"dim":48,"dim":47')
    kind = type(column.type)(column.storage.type, text)
    twice = pa.ExtensionArray.from_storage(kind, column.storage)
    refused(twice, "key 'dim' is there twice")
