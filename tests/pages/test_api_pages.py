"""docs/reference/api: every public name has its place there."""

import re

from tests.package.api import recorded
from tests.support.paths import ROOT

PAGES = [page.read_text() for page in sorted((ROOT / "docs" / "reference" / "api").glob("*.md"))]
_NAMED = re.compile(r"^\.\. auto(?:function|class|data):: ([\w.]+)$", re.MULTILINE)
_MODULE = re.compile(r"^\.\. automodule:: ([\w.]+)$", re.MULTILINE)


def test_every_public_name_is_on_a_page() -> None:
    shown = {name for page in PAGES for name in _NAMED.findall(page)}
    modules = {name for page in PAGES for name in _MODULE.findall(page)}
    _, lines = recorded()
    names = {re.split(r"[( ]", line)[0] for line in lines if line.startswith("minifloat.")}
    # Members are shown with their class.
    tops = {name for name in names if not any(name.startswith(f"{other}.") for other in names)}
    assert {name for name in tops if name.rpartition(".")[0] not in modules} == {
        f"minifloat.{name}" for name in shown
    }
    assert {name.rpartition(".")[0] for name in tops} - {"minifloat"} <= modules
