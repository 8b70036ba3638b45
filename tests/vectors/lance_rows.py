"""Rows and columns that tests put into data sets of Lance."""

import re
from typing import Any

import numpy as np
import pytest

import minifloat as mf
from tests.support.rows import normal

X = normal(60, 48) + 1
FRAME = mf.Frame.fit(X, 2)
ROWS = mf.quantize(X, "e2m1", frame=FRAME, errors=True)
IDS: dict[str, Any] = {"id": np.arange(60), "name": [f"row {i}" for i in range(60)]}


def refused(
    error: type[Exception], message: str, function: Any, *given: Any, **options: Any
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        function(*given, **options)
