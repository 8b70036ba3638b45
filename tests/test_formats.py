import ml_dtypes
import numpy as np
import pytest
import torch
from gfloat import formats as gfloat_formats

import minifloat as mf
import oracles


def test_formats_are_values_with_names() -> None:
    assert [str(f) for f in mf.FORMATS] == ["e5m2", "e4m3", "e3m4", "e3m2", "e2m3", "e2m1"]
    assert mf.E2M1 is mf.FORMATS[-1]
    assert set(dir(mf)) >= {"E5M2", "E2M1"}
    with pytest.raises(AttributeError, match="module 'minifloat' has no attribute 'E9M9'"):
        _ = mf.E9M9


def test_limits_are_those_of_ml_dtypes(format: mf.Format) -> None:
    info = ml_dtypes.finfo(format.ml_dtype)
    assert (format.bits, format.mantissa_bits) == (info.bits, info.nmant)
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


@pytest.mark.parametrize("wrong", ["e4m4", "", None, 8])
def test_an_unknown_format_is_refused_by_name(wrong: object) -> None:
    message = rf"format must be one of e5m2, e4m3, e3m4, e3m2, e2m3, e2m1; got {wrong!r}"
    with pytest.raises(ValueError, match=message):
        mf.encode(torch.zeros(1), wrong)  # type: ignore[arg-type]
