"""The page of the range probe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.page.page import Making, Points, Section, render
from evaluation.page.table import Table


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the probe found: sentences, and tables.

    `judged` says what the verdicts and the hypothesis are judged by, `left_out` what the model did
    not take and why.
    """

    verdicts: Sequence[str]
    judged: str
    left_out: Sequence[str]
    hypothesis: Sequence[str]
    architecture: Table
    ranges: Table
    fits: Table

    @property
    def tables(self) -> Sequence[Table]:
        """The tables, each a CSV file."""
        return self.ranges, self.fits, self.architecture


def report(model: str, found: Findings, *, command: str, identity: Mapping[str, str]) -> str:
    """Return the page."""
    smallest = found.verdicts[-1]
    left_out = [Points(points=found.left_out)] if found.left_out else []
    return render(
        f"How large the values of {model} are",
        [f"{smallest} Judged by the embeddings of the {found.judged}."],
        [
            Section(title="Formats", blocks=[Points(points=found.verdicts)]),
            Section(
                title="The published hypothesis",
                blocks=[Points(points=found.hypothesis), found.architecture],
            ),
            Section(title="Ranges", blocks=[*left_out, found.ranges, found.fits]),
        ],
        Making(
            command=command,
            seed=None,
            data={"weights": identity["weights"]} if "weights" in identity else {},
            facts={name: text for name, text in identity.items() if name != "weights"},
        ),
    )
