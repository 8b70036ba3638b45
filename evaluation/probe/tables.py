"""The tables of the range probe."""

from collections.abc import Mapping

import minifloat as mf
from evaluation.extractors.extractor import AFTER_LAST_LAYER, AFTER_NORMALISATION, EMBEDDING
from evaluation.page.notation import count, rare
from evaluation.page.table import Cell, Column, Content, Table
from evaluation.probe.architecture import SECONDS, Architecture
from evaluation.probe.fits import MANY_ZEROS, fits
from evaluation.probe.published import (
    ARCHITECTURES,
    PublishedArchitecture,
    PublishedRange,
    published_ranges,
)
from evaluation.probe.ranges import SIGNALS, Probed, Signal

PAPER = "Published: Kolmakov and Golubinskiy, 2026"


def range_table(found: Mapping[str, Probed], *, model: str, signal: Signal) -> Table:
    """Return the range of the numbers at each stage, for each of what was probed.

    The published figures of the model stand beside those of the published signal.
    """

    def plain(number: float) -> str:
        return f"{number:.4f}"

    rows: list[list[Content]] = []
    for name, probe in found.items():
        of_paper = published_ranges(model) if name == SIGNALS["published"].name else {}
        for stage, one in probe.ranges.items():
            paper = of_paper.get(stage, PublishedRange())
            rows.append(
                [
                    f"{name}: {stage}",
                    *(one.largest, paper.largest, one.smallest, paper.smallest),
                    *(one.mean, paper.mean, one.deviation, paper.deviation, one.values),
                ]
            )
    clips = "; ".join(f"{name}: {probe.clips}" for name, probe in found.items())
    return Table(
        slug="ranges",
        caption="The numbers at each stage",
        columns=[
            Column(heading="stage"),
            Column(heading="max", show=plain),
            Column(heading="max published"),
            Column(heading="min", show=plain),
            Column(heading="min published"),
            Column(heading="mean", show=plain),
            Column(heading="mean published"),
            Column(heading="standard deviation", show=plain),
            Column(heading="standard deviation published"),
            Column(heading="n", show=count),
        ],
        rows=rows,
        note=f"Over all values of all clips ({clips}). The {signal.name}: {signal.told}. The "
        "stages are those that the model shows: what enters and what leaves the last normalisation "
        "of the vector, or the last linear layer where none comes before it, and the embedding. "
        "Deviations are divided by n - 1. These describe the clips that were taken; they have no "
        f"interval. {PAPER}, for its own weights of the model, as printed.",
    )


def fit_table(found: Mapping[str, Probed]) -> Table:
    """Return for each stage of the vector and each format what becomes of the values."""
    rows: list[list[Content]] = []
    for name, probe in found.items():
        for stage, vectors in probe.vectors.items():
            is_last = stage in (AFTER_NORMALISATION, AFTER_LAST_LAYER)
            if is_last and probe.ranges[stage] == probe.ranges[EMBEDDING]:
                continue
            rows += [
                [
                    f"{name}: {stage}",
                    Cell(value=fit.format.name.upper()),
                    fit.overflow,
                    fit.zeros,
                    fit.zeros_scaled,
                    Cell(value="as it is", tone="good")
                    if fit.serves
                    else Cell(value="scale first", tone="fair"),
                ]
                for fit in fits(vectors, mf.FORMATS)
            ]
    return Table(
        slug="fits",
        caption="The values in each format",
        columns=[
            Column(heading="stage"),
            Column(heading="format", words=True),
            Column(heading="too large", show=rare),
            Column(heading="to zero", show=rare),
            Column(heading="to zero, scaled", show=rare),
            Column(heading="verdict", words=True),
        ],
        rows=rows,
        note="In percent of the values of the vectors: those beyond the format's largest value, "
        "and those that were not zero and become zero, as they are and with each vector scaled to "
        f"the format's range. Scale first: a value is too large, or {100 * MANY_ZEROS:g} % or more "
        "become zero and fewer would. What that costs, the bit-depth study measures. n is that of "
        "the stage in the table above.",
    )


def architecture_table(found: Architecture, *, model: str) -> Table:
    """Return what a model is made of and the memory that it takes, beside the paper's."""

    def plain(number: float) -> str:
        return f"{number:.2f}"

    def known(answer: bool | None) -> str | None:
        return None if answer is None else "yes" if answer else "no"

    paper = ARCHITECTURES.get(model, PublishedArchitecture())
    millions = None if found.parameters is None else found.parameters / 1e6
    row: list[Content] = [
        model,
        *(found.residual_blocks, paper.residual_blocks),
        *(known(found.ends_in_batch_norm), paper.ends_in_batch_norm),
        *(millions, paper.parameters),
        *((found.memory.bytes / 2**20, found.memory.of) if found.memory else (None, None)),
        paper.memory,
    ]
    return Table(
        slug="architecture",
        caption="What the model is made of",
        columns=[
            Column(heading="model"),
            Column(heading="residual blocks", show=count),
            Column(heading="residual blocks published"),
            Column(heading="batch normalisation last", words=True),
            Column(heading="batch normalisation last published", words=True),
            Column(heading="parameters, millions", show=plain),
            Column(heading="parameters, millions published"),
            Column(heading="peak memory, MB", show=plain),
            Column(heading="memory of", words=True),
            Column(heading="peak memory, MB published"),
        ],
        rows=[row],
        note="A residual block ends in the sum of a tensor after two convolutions or more and of "
        "the same tensor by a shortcut of at most one; they are counted while the model runs. "
        "Parameters are those of the whole network as it is loaded. Memory is the most that a clip "
        f"of {SECONDS} s takes, in MB of 2^20 bytes: what torch allocates on a GPU, with the "
        "weights; else by how much the process grows, without them. What a model does not show is "
        f"empty. n = 1. {PAPER}, which tells neither its MB nor how it counts blocks; its memory "
        "is a GPU's.",
    )
