import csv
import io
import json
import re
from html import unescape

import pytest

from evaluation.command.errors import InputError
from evaluation.page.figure import Figure
from evaluation.page.page import Block, Fold, Making, Points, Section, render
from evaluation.page.table import Cell, Column, Table

NAN = float("nan")
SVG = (
    '<?xml version="1.0"?><svg width="9pt" height="9pt" viewBox="0 0 9 9" '
    'xmlns="http://www.w3.org/2000/svg"><path id="a" fill="#1f2329"/><use href="#a"/></svg>'
)


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def table(slug: str = "rates") -> Table:
    return Table(
        slug=slug,
        caption="Rates & so on",
        columns=[
            Column(heading="model"),
            Column(heading="EER, %", show=percent, interval=True, best="low"),
            Column(heading="verdict", words=True),
        ],
        rows=[
            ["one", Cell(value=0.0213, low=0.01, high=0.03), Cell(value="safe", tone="good")],
            ["two", Cell(value=0.5, low=NAN, high=NAN, mark="\N{UPWARDS ARROW}"), "<b>"],
            ["three", NAN, None],
        ],
        note="n = 3.",
    )


def page(*blocks: Block) -> str:
    making = Making(command="python -m x", seed=7, data={"file": "0" * 64}, packages=["scipy"])
    return render("Title", ["What it says."], [Section(title="First", blocks=blocks)], making)


def test_the_csv_has_values_in_full_and_a_column_for_each_end_of_an_interval() -> None:
    assert table().csv() == (
        "model,eer,eer_low,eer_high,verdict\none,0.0213,0.01,0.03,safe\ntwo,0.5,,,<b>\nthree,,,,\n"
    )


def test_the_page_holds_what_the_csv_holds() -> None:
    text = page(table())
    names = [json.loads(unescape(one)) for one in re.findall(r"data-names='([^']*)'", text)]
    cells = [json.loads(unescape(one)) for one in re.findall(r'data-values="([^"]*)"', text)]
    header, *rows = csv.reader(io.StringIO(table().csv()))
    assert [name for column in names for name in column] == header
    flat = ["" if value is None else str(value) for cell in cells for value in cell]
    assert flat == [value for row in rows for value in row]


def test_what_is_shown_is_rounded_marked_and_escaped() -> None:
    text = page(table())
    assert '<b class="best">2.1</b>' in text
    assert "<small>1.0 to 3.0</small>" in text
    assert "<small>no interval</small>" in text
    assert '<span class="chip good">safe</span>' in text
    assert "&lt;b&gt;" in text
    assert "Rates &amp; so on" in text


def test_the_page_tells_how_it_was_made() -> None:
    text = page("A paragraph.", Points(points=["A point."], terms={"FAR": "a rate"}))
    for part in ("A paragraph.", "A point.", "<dt>FAR</dt>", "python -m x", "0" * 64, "scipy 1"):
        assert part in text


def test_a_figure_takes_the_colours_of_the_page_and_ids_of_its_own() -> None:
    text = page(Figure(slug="a b", svg=SVG, alt='of "x"', caption="It."))
    assert '<path id="a_20b-a" fill="var(--ink)"/><use href="#a_20b-a"/>' in text
    assert 'aria-label="of &#34;x&#34;"' in text
    assert "xmlns" not in text


def test_what_is_folded_stands_below_its_title() -> None:
    text = page("Seen.", Fold(title="More & more", blocks=["Unseen.", table()]))
    folded = text[text.index("<details") : text.index("</details>")]
    assert "<summary>More &amp; more</summary>" in folded
    assert "Unseen." in folded
    assert 'id="rates"' in folded
    assert "Seen." not in folded


def test_slugs_must_differ() -> None:
    message = "slugs of tables and figures must differ; got rates twice"
    with pytest.raises(InputError, match=f"^{message}$"):
        page(table(), Fold(title="", blocks=[table()]))


def test_a_row_must_fill_its_columns() -> None:
    with pytest.raises(InputError, match="table short: a row must have 1 cells; got 2"):
        Table(slug="short", caption="", columns=[Column(heading="x")], rows=[[1, 2]], note="")
