"""The tables of the page, in the order in which they stand in their places."""

from evaluation.page.placed import PlacedTable
from evaluation.separation.tables.choices import choices
from evaluation.separation.tables.formats import by_cosine, on_maps
from evaluation.separation.tables.leads import leads
from evaluation.separation.tables.models import models
from evaluation.separation.tables.published import published
from evaluation.separation.tables.told import Place

TABLES = (
    PlacedTable(make=models, place=Place.MODELS),
    PlacedTable(make=leads, place=Place.MODELS),
    PlacedTable(make=published, place=Place.MODELS, folded=True),
    PlacedTable(make=choices, place=Place.CHOICE),
    PlacedTable(make=by_cosine, place=Place.MODEL),
    PlacedTable(make=on_maps, place=Place.MODEL),
)
