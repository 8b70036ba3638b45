"""docs/decisions: each record has a date and a reason, and leads to what superseded it."""

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FOLDER = ROOT / "docs" / "decisions"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.stem != "index")


def records(page: Path) -> dict[str, str]:
    """Return what each record of a page says, by its anchor."""
    _, *found = re.split(r"^## ", page.read_text(), flags=re.MULTILINE)
    titles = {text.partition("\n")[0]: text.partition("\n")[2].strip() for text in found}
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-"): titles[one] for one in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_record_has_a_date_and_a_reason(page: Path) -> None:
    assert records(page)
    for anchor, text in records(page).items():
        assert re.match(r"\*20\d\d-\d\d-\d\d\.\* \S.{40}", text), f"{page.name}#{anchor}"
        assert not re.search(r"\*Would change it:\*\s*$", text), f"{page.name}#{anchor}"


def test_superseded_records_lead_to_those_that_lead_back() -> None:
    links = r"^\*(Superseded by|Supersedes)\* \[[^]]+\]\(([\w-]*)(?:\.md)?#([\w-]+)\)\.$"
    pairs: dict[str, set[tuple[tuple[str, str], tuple[str, str]]]] = {
        "Superseded by": set(),
        "Supersedes": set(),
    }
    for page in PAGES:
        for anchor, text in records(page).items():
            for kind, other, target in re.findall(links, text, re.MULTILINE):
                there = (other or page.stem, target)
                assert target in records(FOLDER / f"{there[0]}.md"), there
                pairs[kind].add(((page.stem, anchor), there))
    assert pairs["Superseded by"]
    assert pairs["Superseded by"] == {(old, new) for new, old in pairs["Supersedes"]}


def test_the_table_has_every_subject() -> None:
    table = (FOLDER / "index.md").read_text()
    assert {*re.findall(r"\]\(([\w-]+)\.md\)", table)} == {page.stem for page in PAGES}
