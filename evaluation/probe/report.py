"""The page and the tables of the range probe."""

from collections.abc import Mapping, Sequence

import minifloat as mf
from evaluation.extractors.extractor import AFTER_NORMALISATION, EMBEDDING
from evaluation.page.notation import count, rare
from evaluation.page.page import Making, Points, Section, render
from evaluation.page.table import Cell, Column, Content, Table
from evaluation.probe.fits import MANY_ZEROS, fits
from evaluation.probe.ranges import PERIOD, SECONDS, Probed


def range_table(found: Mapping[str, Probed]) -> Table:
    """Return the range of the numbers at each stage, for each of what was probed."""

    def plain(number: float) -> str:
        return f"{number:.4f}"

    rows: list[list[Content]] = [
        [f"{name}: {stage}", one.largest, one.smallest, one.mean, one.deviation, one.values]
        for name, probe in found.items()
        for stage, one in probe.ranges.items()
    ]
    clips = "; ".join(f"{name}: {probe.clips}" for name, probe in found.items())
    return Table(
        slug="ranges",
        caption="The numbers at each stage",
        columns=[
            Column(heading="stage"),
            Column(heading="max", show=plain),
            Column(heading="min", show=plain),
            Column(heading="mean", show=plain),
            Column(heading="standard deviation", show=plain),
            Column(heading="n", show=count),
        ],
        rows=rows,
        note=f"Over all values of all clips ({clips}). The signal is a square wave between -1 and "
        f"+1 of {SECONDS} s, {PERIOD} samples a period. The stages are those that the model shows: "
        "what enters and what leaves the last normalisation of the vector, and the embedding. "
        "These describe the clips that were taken; they have no interval.",
    )


def fit_table(found: Mapping[str, Probed]) -> Table:
    """Return for each stage of the vector and each format what becomes of the values."""
    rows: list[list[Content]] = []
    for name, probe in found.items():
        for stage, vectors in probe.vectors.items():
            if stage == AFTER_NORMALISATION and probe.ranges[stage] == probe.ranges[EMBEDDING]:
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


def report(
    model: str,
    verdicts: Sequence[str],
    tables: Sequence[Table],
    *,
    left_out: Sequence[str],
    judged: str,
    command: str,
    identity: Mapping[str, str],
) -> str:
    """Return the page; `judged` says what the verdicts are of."""
    smallest = verdicts[-1]
    facts = {name: text for name, text in identity.items() if name != "weights"}
    return render(
        f"How large the values of {model} are",
        [f"{smallest} Judged by the embeddings of the {judged}."],
        [
            Section(title="Formats", blocks=[Points(points=verdicts)]),
            Section(
                title="Ranges",
                blocks=[*([Points(points=left_out)] if left_out else []), *tables],
            ),
        ],
        Making(
            command=command,
            seed=None,
            data={"weights": identity["weights"]} if "weights" in identity else {},
            facts=facts,
        ),
    )
