"""The tables of the page, in the order in which they stand in their places."""

from evaluation.bitdepth.tables.decisions import decisions
from evaluation.bitdepth.tables.error_rates import error_rates
from evaluation.bitdepth.tables.identification import identification
from evaluation.bitdepth.tables.lists import by_list
from evaluation.bitdepth.tables.overflow import overflow
from evaluation.bitdepth.tables.overview import overview
from evaluation.bitdepth.tables.page_table import PageTable, Place
from evaluation.bitdepth.tables.published import against_published
from evaluation.bitdepth.tables.published_storage import published_storage
from evaluation.bitdepth.tables.speed import speed
from evaluation.bitdepth.tables.storage import storage

TABLES = (
    PageTable(make=overview, place=Place.FORMATS),
    PageTable(make=error_rates, place=Place.STUDY),
    PageTable(make=against_published, place=Place.STUDY),
    PageTable(make=decisions, place=Place.STUDY, folded=True, title="Decisions, pair by pair"),
    PageTable(make=identification, place=Place.STUDY, folded=True),
    PageTable(make=storage, place=Place.STUDY, folded=True),
    PageTable(make=by_list, place=Place.MODEL),
    PageTable(make=speed, place=Place.MODEL),
    PageTable(make=overflow, place=Place.MODEL, folded=True),
    PageTable(make=published_storage, place=Place.ALL),
)
