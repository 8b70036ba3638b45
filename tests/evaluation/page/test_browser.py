"""The report in a browser: it opens without errors or network, sorts, copies and saves."""

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from evaluation.__main__ import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

Maker = Callable[..., Path]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (390, 800, 1400)


@pytest.fixture(scope="module")
def report(make_file_in: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    out = folder / "report"
    arguments = ["--formats", "e3m4,e2m1", "--draws", "20", "--speed", "--out", str(out)]
    assert main(["bitdepth", str(make_file_in(folder)), *arguments]) == 0
    return out / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_api.sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip(f"needs one of {', '.join(BROWSERS)}, or playwright install chromium")
        # Chromium as root runs without its sandbox only; the page is our own.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser", report: Path) -> Iterator["Page"]:
    """The report, opened; what it says on the console or asks of a network fails the test."""
    page = browser.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: troubles.append(request.url))
    page.goto(report.as_uri())
    yield page
    assert [one for one in troubles if one != report.as_uri() and not one.startswith("blob:")] == []
    page.close()


def column(page: "Page", place: int) -> list[str]:
    cells = page.locator(f"#voices-errors tbody tr > :nth-child({place})")
    return [text.split("\n")[0] for text in cells.all_inner_texts()]


def test_a_click_sorts_by_value_and_another_the_other_way(page: "Page") -> None:
    header = page.locator("#voices-errors thead th").nth(1)
    before = column(page, 2)
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    ascending = [int(text) for text in column(page, 2)]
    assert ascending == sorted(int(text) for text in before)
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert [int(text) for text in column(page, 2)] == ascending[::-1]


def test_what_has_no_value_is_last_either_way(page: "Page") -> None:
    header = page.locator("#voices-errors thead th").nth(3)
    for _ in range(2):
        header.get_by_role("button").click()
        assert column(page, 1)[-1] == "float32"


def test_a_table_is_saved_as_csv_with_all_digits(page: "Page", report: Path) -> None:
    with page.expect_download() as download:
        page.locator("#voices-errors .save").click()
    assert download.value.suggested_filename == "voices-errors.csv"
    saved = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    with (report.parent / "metrics.csv").open(newline="") as file:
        metrics = list(csv.DictReader(file))
    assert [row["format"] for row in saved][:4] == ["float32", "float16", "bfloat16", "E3M4"]
    for ours, theirs in zip(saved, metrics, strict=True):
        for name in ("eer", "eer_low", "frr_high", "far"):
            assert float(ours[name]) == float(theirs[name])


def test_a_copied_table_pastes_into_cells(page: "Page") -> None:
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; }")
    page.locator("#voices-errors .copy").click()
    sync_api.expect(page.locator("#voices-errors .copy")).to_have_text("Copied")
    header, *rows = page.evaluate("window.copied").split("\n")
    assert header.split("\t")[:4] == ["format", "bytes", "eer", "eer_low"]
    assert all(row.count("\t") == header.count("\t") for row in rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_but_tables_is_wider_than_the_screen(
    page: "Page", width: int, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    lightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
    assert (int(lightness) < 128) == (scheme == "dark")


def test_half_of_the_report_is_folded_until_a_reader_asks_for_it(page: "Page") -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    height = "document.documentElement.scrollHeight"
    folded = page.evaluate(height)
    assert not page.locator("#voices-decisions").is_visible()
    page.get_by_role("button", name="Unfold all").click()
    assert page.locator("#voices-decisions").is_visible()
    assert folded <= 0.55 * page.evaluate(height)


def test_what_is_folded_is_printed_too(page: "Page") -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#voices-decisions").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.locator("#voices-decisions").is_visible()


def test_the_report_prints_with_all_columns_on_the_paper(page: "Page") -> None:
    page.emulate_media(media="print")
    # A4 on its side less the margins, at 96 dots an inch.
    page.set_viewport_size({"width": 1031, "height": 700})
    widths = page.evaluate("[...document.querySelectorAll('table')].map((t) => t.scrollWidth)")
    assert max(widths) <= 1031
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
