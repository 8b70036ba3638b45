"""The tables of the page, in the order in which they stand in their places."""

from evaluation.bitdepth.tables.decisions import decisions
from evaluation.bitdepth.tables.error_rates import error_rates
from evaluation.bitdepth.tables.identification import identification
from evaluation.bitdepth.tables.lists import by_list
from evaluation.bitdepth.tables.overflow import overflow
from evaluation.bitdepth.tables.overview import overview
from evaluation.bitdepth.tables.published import against_published
from evaluation.bitdepth.tables.published_storage import published_storage
from evaluation.bitdepth.tables.speed import speed
from evaluation.bitdepth.tables.storage import storage
from evaluation.bitdepth.tables.told import Place
from evaluation.page.placed import PlacedTable

TABLES = (
    PlacedTable(make=overview, place=Place.FORMATS),
    PlacedTable(make=error_rates, place=Place.STUDY),
    PlacedTable(make=against_published, place=Place.STUDY),
    PlacedTable(make=decisions, place=Place.STUDY, folded=True, title="Decisions, pair by pair"),
    PlacedTable(make=identification, place=Place.STUDY, folded=True),
    PlacedTable(make=storage, place=Place.STUDY, folded=True),
    PlacedTable(make=by_list, place=Place.MODEL),
    PlacedTable(make=speed, place=Place.MODEL),
    PlacedTable(make=overflow, place=Place.MODEL, folded=True),
    PlacedTable(make=published_storage, place=Place.ALL),
)
