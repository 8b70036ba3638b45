"""The figures of a model's section of the report, with what they show in words."""

from collections.abc import Sequence

import minifloat as mf
from evaluation.bitdepth.figures.det_plots import det_curves, four_counts
from evaluation.bitdepth.figures.score_plots import threshold_curves, violins
from evaluation.bitdepth.figures.value_plots import SHOWN, value_histograms
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.page.figure import Figure

# So many of them are seen at once, the others when they are unfolded.
UNFOLDED = 2


def figures(study: BitdepthStudy, formats: Sequence[mf.Format]) -> list[Figure]:
    """Return the figures in order of interest, those of one format for the smallest of all."""
    name = study.name
    smallest = min(formats, key=lambda format: format.bits)
    label = smallest.name.upper()
    return [
        Figure(
            slug=f"{name}-thresholds",
            svg=threshold_curves(study, smallest),
            alt=f"{name}: FAR and FRR against the threshold, float32 dashed and {label} solid, "
            "as it is, scaled and framed, with the values at the threshold marked.",
            caption=f"FAR and FRR at every threshold: the nearer the solid lines ({label}) to the "
            "dashed ones (float32), the less is lost. The dotted line is the unchanged threshold, "
            "the points what it yields.",
        ),
        Figure(
            slug=f"{name}-values",
            svg=value_histograms(study, smallest),
            alt=f"{name}: values of the embeddings in float32 with the values of {label} marked, "
            f"and their shares after conversion to {label}, as they are and scaled.",
            caption=f"Values of the embeddings before and after conversion to {label}, as they are "
            f"and scaled, of {SHOWN:,} vectors at most. Dotted lines are the values that {label} "
            "has; the numbers over the bars are percent.",
        ),
        Figure(
            slug=f"{name}-scores",
            svg=violins(study),
            alt=f"{name}: distributions of the scores of pairs of different speakers and of one "
            "speaker, for every format as it is, scaled and framed, with the threshold.",
            caption="Scores of pairs of different speakers and of one speaker. A pair right of the "
            "dashed line is accepted. Widths show how many pairs, short lines the medians.",
            tall=True,
        ),
        Figure(
            slug=f"{name}-det",
            svg=det_curves(study),
            alt=f"{name}: detection error curves of float32 and every format, as they are, scaled "
            "and framed, FRR against FAR.",
            caption="FRR against FAR over all thresholds, on normal deviates: a line nearer to the "
            "lower left corner is better; float32 is drawn last, in the colour of the text. On the "
            "dotted diagonal the two are equal.",
            tall=True,
        ),
        Figure(
            slug=f"{name}-counts",
            svg=four_counts(study),
            alt=f"{name}: accepted and rejected pairs of one speaker (TP, FN) and of different "
            "speakers (FP, TN) for every format, float32's counts as dashed lines.",
            caption="Pairs of one speaker accepted (TP) and rejected (FN), pairs of different "
            "speakers accepted (FP) and rejected (TN), at the unchanged threshold. The dashed "
            "lines are float32's.",
        ),
    ]
