import re
import subprocess
import sys
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from gfloat import formats as gfloat_formats

import minifloat as mf
from minifloat.formats import FormatLike, as_format
from tests.support import oracles


def test_formats_are_values_with_names() -> None:
    assert [str(f) for f in mf.FORMATS[:6]] == ["e5m2", "e4m3", "e3m4", "e3m2", "e2m3", "e2m1"]
    for f in mf.FORMATS:
        assert getattr(mf, f.name.upper()) is f
        assert f.name.upper() in dir(mf)
    with pytest.raises(AttributeError, match="module 'minifloat' has no attribute 'E9M9'"):
        _ = mf.E9M9


@pytest.mark.parametrize("format", oracles.IN_ML_DTYPES, ids=str)
def test_limits_are_those_of_ml_dtypes(format: mf.Format) -> None:
    info = ml_dtypes.finfo(oracles.ml_dtype(format))
    assert (format.bits, format.mantissa_bits) == (info.bits, info.nmant)
    assert format.max == float(info.max)
    assert format.smallest_normal == float(info.smallest_normal)
    assert format.smallest_subnormal == float(info.smallest_subnormal)


def test_limits_are_those_of_gfloat(format: mf.Format) -> None:
    info = oracles.gfloat_format(format)
    assert (format.bits, format.mantissa_bits) == (info.bits, info.precision - 1)
    assert format.max == float(info.max)
    assert format.smallest_normal == float(info.smallest_normal)
    assert format.smallest_subnormal == float(info.smallest_subnormal)
    assert 2.0**-format.fraction_bits == format.smallest_subnormal


def test_facts_are_those_of_gfloat(format: mf.Format) -> None:
    known = {
        "e5m2": gfloat_formats.format_info_ocp_e5m2,
        "e4m3": gfloat_formats.format_info_ocp_e4m3,
        "e3m2": gfloat_formats.format_info_ocp_e3m2,
        "e2m3": gfloat_formats.format_info_ocp_e2m3,
        "e2m1": gfloat_formats.format_info_ocp_e2m1,
    }
    if format.name not in known:
        pytest.skip("gfloat names no such format")
    ours, theirs = oracles.gfloat_format(format), known[format.name]
    for fact in ("max", "bits", "bias", "smallest", "num_nans", "num_infs"):
        assert getattr(ours, fact) == getattr(theirs, fact)


def test_e4m3_is_that_of_the_ocp() -> None:
    assert mf.E4M3.max == 448
    assert mf.E4M3.ml_dtype == ml_dtypes.float8_e4m3fn
    assert mf.E4M3.torch_dtype == torch.float8_e4m3fn


def test_torch_dtypes_are_found_where_torch_has_them() -> None:
    found = {f.name: f.torch_dtype for f in mf.FORMATS}
    assert found["e5m2"] == torch.float8_e5m2
    assert found["e2m1"] == torch.float4_e2m1fn_x2
    assert found["e3m4"] is None
    assert found["e3m2"] is None


def test_the_lane_is_the_narrowest_that_holds_every_value(format: mf.Format) -> None:
    largest = format.max * 2.0**format.fraction_bits
    narrow = "int8" if largest <= 127 else "int16" if largest <= 32767 else "float"
    assert format.lane == narrow
    assert np.all(format.finite * 2.0**format.fraction_bits % 1 == 0)


def test_a_format_is_found_by_its_name_in_any_case(format: mf.Format) -> None:
    x = torch.randn(5)
    expected = mf.encode(x, format)
    assert torch.equal(mf.encode(x, format.name), expected)
    assert torch.equal(mf.encode(x, format.name.upper()), expected)


def spellings(format: mf.Format) -> list[FormatLike]:
    """What ml_dtypes and torch call a format: names and dtypes."""
    found: list[FormatLike] = []
    if (dtype := format.ml_dtype) is not None:
        found += [dtype.name, dtype.name.upper(), dtype, dtype.type]
    if format.torch_dtype is not None:
        name = str(format.torch_dtype)
        found += [format.torch_dtype, name, name.removeprefix("torch.")]
    return found


def test_a_format_is_found_by_what_torch_and_ml_dtypes_call_it(format: mf.Format) -> None:
    x = torch.randn(3, 8)
    codes, packed = mf.encode(x, format), mf.encode_pack(x, format)
    for name in spellings(format):
        assert as_format(name) is format
        assert torch.equal(mf.encode(x, name), codes)
        assert torch.equal(mf.decode(codes, name), mf.decode(codes, format))
        assert torch.equal(mf.round(x, name), mf.decode(codes, format))
        assert torch.equal(mf.pack(codes, name), packed)
        assert torch.equal(mf.unpack(packed, name, 8), codes)
        assert torch.equal(mf.encode_pack(x, name), packed)
        assert mf.quantize(x, name).format is format


def test_the_names_that_the_field_uses_are_known() -> None:
    names = {
        "float8_e5m2": mf.E5M2,
        "float8_e4m3fn": mf.E4M3,
        "float8_e3m4": mf.E3M4,
        "float6_e3m2fn": mf.E3M2,
        "float6_e2m3fn": mf.E2M3,
        "float4_e2m1fn": mf.E2M1,
        "float4_e2m1fn_x2": mf.E2M1,
    }
    assert {name: as_format(name) for name in names} == names


def test_every_spelling_of_a_format_is_compiled_without_a_break(format: mf.Format) -> None:
    x = torch.randn(3, 8)
    for name in spellings(format):
        torch.compiler.reset()
        compiled = torch.compile(
            lambda x, name=name: mf.encode(x, name), fullgraph=True, backend="aot_eager"
        )
        assert torch.equal(compiled(x), mf.encode(x, format))


# What is no format, and what is said of it where it looks like one.
UNKNOWN: dict[str, list[Any]] = {
    "": [
        *("e4m4", "float8_e8m0fnu", "float32", "", None, 8, int, []),
        *(torch.float16, torch.float8_e8m0fnu, np.floating, np.dtype("float16")),
    ],
    ", whose largest value is 240: e4m3 is float8_e4m3fn, whose largest value is 448": [
        *("float8_e4m3", "FLOAT8_E4M3", ml_dtypes.float8_e4m3, np.dtype(ml_dtypes.float8_e4m3)),
    ],
    ", whose codes mean other values: e4m3 is float8_e4m3fn, whose largest value is 448": [
        *("float8_e4m3fnuz", torch.float8_e4m3fnuz, ml_dtypes.float8_e4m3fnuz),
        *("float8_e4m3b11fnuz", ml_dtypes.float8_e4m3b11fnuz),
    ],
    ", whose codes mean other values: e5m2 is float8_e5m2, whose largest value is 57344": [
        *("float8_e5m2fnuz", torch.float8_e5m2fnuz, ml_dtypes.float8_e5m2fnuz),
    ],
    ", whose largest value is 3: e2m1 is float4_e2m1fn, whose largest value is 6": ["float4_e2m1"],
}


@pytest.mark.parametrize(
    ("wrong", "likeness"), [(one, text) for text, wrong in UNKNOWN.items() for one in wrong]
)
def test_an_unknown_format_is_refused_by_name(wrong: Any, likeness: str) -> None:
    allowed = ", ".join(map(str, mf.FORMATS))
    message = f"format must be one of {allowed}; got {wrong!r}{likeness}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mf.encode(torch.zeros(1), wrong)


def test_what_is_said_of_ieee_s_e4m3_is_so() -> None:
    assert float(ml_dtypes.finfo(ml_dtypes.float8_e4m3).max) == 240


def test_names_of_ml_dtypes_do_not_import_it() -> None:
    program = """
import sys, torch, minifloat as mf
for f in mf.FORMATS:
    mf.encode(torch.ones(1), f)
mf.encode(torch.ones(1), "float8_e4m3fn")
try:
    mf.encode(torch.ones(1), "float8_e4m3")
except ValueError:
    print("ml_dtypes" in sys.modules)
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout == "False\n"
