"""The scores of a segmentation for the report: tables and curves, and in plain words what is missed."""

import math

from thalweg.core.files import printable
from thalweg.core.history import epochs_from_csv
from thalweg.core.mask_safety import DISTANCES, SIZES, ClassSafety
from thalweg.core.report import Block, Curves, Line, Matrix, Paragraph, Table
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.rendering.numerals import decimal, duration
from thalweg.workbench.answering.mask_scores import ScoredPictures
from thalweg.workbench.reporting.advice import advice_of_findings, advice_of_unfinished

__all__ = ["answer_lines", "belief_blocks", "missed_blocks", "score_blocks"]

_PAIRS = 12
_MANY = 1_000_000  # longer numbers do not fit the cells of a matrix
_FEW_OBJECTS, _FEW_PIXELS = 5, 500
_SEEN = 0.05  # a difference that is worth a sentence
_PLACES = ("the centre", "the ring between", "the rim")  # as DISTANCES
_COVERAGES = (0.5, 0.8, 0.9, 1.0)


def answer_lines(result: TrainResult, scored: ScoredPictures, folder: RunFolder) -> tuple[str, ...]:
    """The five lines that say how good it is and what to do.

    Args:
        result: The run's answer.
        scored: Its scores.
        folder: Its folder, for the curves.

    Returns:
        Five sentences.
    """
    found = scored.evaluation
    low, high = found.mean_iou_interval
    interval = "" if math.isnan(low) else f" (95 % interval over pictures {low:.3f} to {high:.3f})"
    there = [each for each in found.classes if each.pixels]
    best, worst = max(there, key=lambda each: each.iou), min(there, key=lambda each: each.iou)
    left_out = f", {len(result.left_out)} left out" if result.left_out else ""
    goodness = (
        f"Mean intersection over union {found.mean_iou:.3f} over {len(there)} classes on {found.pictures:,} "
        f"{found.split} pictures{interval}; {found.pixel_accuracy:.1%} of pixels right."
    )
    extremes = (
        f"Best on {printable(best.name)} ({best.iou:.2f}), worst on {printable(worst.name)} ({worst.iou:.2f}); "
        f"always answering the largest class is right on {scored.majority_accuracy:.1%} of pixels."
    )
    effort = (
        f"Trained {result.network} ({result.parameters:,} parameters, context {result.context}) on "
        f"{result.train_files:,} pictures{left_out}: {result.epochs} epoch{'' if result.epochs == 1 else 's'}, "
        f"{duration(result.seconds)}, {result.images_per_second:,.1f} images/s."
    )
    return goodness, extremes, effort, _confusion_line(scored), _advice(result, scored, folder)


def _confusion_line(scored: ScoredPictures) -> str:
    if not scored.evaluation.confused:
        return "No pixel of the split is taken for another class."
    pair = scored.evaluation.confused[0]
    return (
        f"Most frequent mistake: {printable(pair.truth)} taken for {printable(pair.predicted)}, "
        f"{pair.share:.0%} of its pixels."
    )


def _advice(result: TrainResult, scored: ScoredPictures, folder: RunFolder) -> str:
    wrong = advice_of_findings(result)
    if wrong:
        return wrong
    rows = epochs_from_csv(folder.read_text("history.csv"), "history.csv")
    unfinished = advice_of_unfinished(result, rows)
    if unfinished and len(rows) > 3:  # noqa: PLR2004 - a curve of a few points
        return unfinished
    missed = _most_missed(scored)
    if missed:
        return f"Next: {missed}"
    return "Next: look through the worst pictures, and at what it misses by size and place."


def score_blocks(scored: ScoredPictures, result: TrainResult) -> tuple[Block, ...]:
    """Scores a class, and what is taken for what.

    Args:
        scored: The scores.
        result: The run's answer.

    Returns:
        Blocks of the report.
    """
    found = scored.evaluation
    rows = tuple(
        (
            printable(each.name),
            decimal(each.iou),
            _interval(each.iou_interval),
            decimal(border.boundary_f1),
            decimal(each.precision),
            decimal(each.recall),
            f"{each.pictures:,}",
            f"{100 * each.pixels / found.pixels:.2f}",
        )
        for each, border in zip(found.classes, scored.safety.classes, strict=True)
    )
    header = ("class", "IoU", "95 % interval", "boundary F1", "precision", "recall", "pictures", "% of pixels")
    mean = (
        "mean",
        decimal(found.mean_iou),
        _interval(found.mean_iou_interval),
        decimal(scored.safety.boundary_f1),
        "",
        "",
        f"{found.pictures:,}",
        "",
    )
    pairs = tuple(
        (printable(pair.truth), printable(pair.predicted), f"{100 * pair.share:.1f}", f"{pair.pixels:,}")
        for pair in found.confused[:_PAIRS]
    )
    best = (
        ""
        if result.best_mean_iou is None
        else (
            f" The best epoch on the watched split was {result.best_epoch} (mean IoU {result.best_mean_iou:.3f} at the "
            f"size of training)."
        )
    )
    step, unit = (1000, "thousand pixels") if found.pixels > _MANY else (1, "pixels")
    blocks: list[Block] = [
        Table(caption=f"Intersection over union a class on the {found.split} split", header=header, rows=(*rows, mean)),
        Paragraph(
            text=f"One confusion matrix over all {found.pixels:,} pixels that have a class ({found.void_pixels:,} void "
            f"ones left out); intervals come from drawing pictures anew, since pixels of one picture are alike. "
            f"Boundary F1: a border counts as met within 0.75 % of the picture's diagonal.{best}"
        ),
        *(Paragraph(text=f"{note}.", style="note") for note in found.notes),
    ]
    blocks += [
        Matrix(
            caption=f"Confusion on the {found.split} split, in {unit}: rows are true classes, columns answers",
            labels=tuple(each.name for each in found.classes),
            counts=tuple(tuple(round(count / step) for count in row) for row in found.confusion),
            unit=unit,
        ),
        Table(
            caption="What is taken for what most often",
            header=("true class", "answer", "% of the class", "pixels"),
            rows=pairs,
        ),
    ]
    return tuple(blocks)


def missed_blocks(scored: ScoredPictures) -> tuple[Block, ...]:
    """What is missed most: small things, rare ones, those at the rim; in words and tables.

    Args:
        scored: The scores.

    Returns:
        Blocks of the report.
    """
    classes = [each for each in scored.safety.classes if sum(each.objects)]
    sizes = tuple((printable(each.name), *(_found(each, place) for place in range(len(SIZES)))) for each in classes)
    places = tuple((printable(each.name), *(decimal(share) for share in each.recall)) for each in classes)
    said = _most_missed(scored)
    opening: list[Block] = [Paragraph(text=said, style="warning")] if said else []
    opening += [Paragraph(text=text) for text in (_rarest(scored), _worst_place(scored)) if text]
    return (
        *opening,
        Paragraph(
            text="An object here is a connected region of one class in the mask; it counts as found when at least "
            "half of its pixels are given its class. Objects that touch count as one, things that a pole cuts as two."
        ),
        Table(
            caption="Objects found, by their share of the picture's area",
            header=("class", *SIZES),
            rows=sizes,
        ),
        Table(
            caption="Share of a class's pixels that are found, by distance from the picture's centre",
            header=("class", *DISTANCES),
            rows=places,
        ),
    )


def _found(each: ClassSafety, place: int) -> str:
    total = each.objects[place]
    return f"{each.found[place]:,} of {total:,} ({each.found[place] / total:.0%})" if total else "-"


def _most_missed(scored: ScoredPictures) -> str:
    """The largest share of objects missed, among sizes with a few objects at least."""
    cases = [
        (1 - each.found[place] / each.objects[place], each.name, place, each.objects[place])
        for each in scored.safety.classes
        for place in range(len(SIZES))
        if each.objects[place] >= _FEW_OBJECTS
    ]
    if not cases or max(cases)[0] < 0.5:  # noqa: PLR2004 - most are found
        return ""
    share, name, place, total = max(cases)
    return (
        f"it misses {share:.0%} of the {total:,} regions of {printable(name)} that cover {SIZES[place]} of the "
        f"picture: do not rely on it for those."
    )


def _rarest(scored: ScoredPictures) -> str:
    """How much of the rarest class is found, beside the most frequent one."""
    there = sorted((each for each in scored.evaluation.classes if each.pixels), key=lambda each: each.pixels)
    if len(there) < 2:  # noqa: PLR2004 - a rare one and another
        return ""
    rare, most, whole = there[0], there[-1], scored.evaluation.pixels
    return (
        f"The rarest class, {printable(rare.name)}, is {rare.pixels / whole:.2%} of the labelled pixels, and "
        f"{rare.recall:.0%} of it are found; of {printable(most.name)}, {most.pixels / whole:.0%} of them, "
        f"{most.recall:.0%} are."
    )


def _worst_place(scored: ScoredPictures) -> str:
    """The class that depends most on where in the picture it is, among those with enough pixels at both places."""
    cases = []
    for each in scored.safety.classes:
        known = [place for place, pixels in enumerate(each.pixels) if pixels >= _FEW_PIXELS]
        if len(known) > 1:
            low, high = (choose(known, key=lambda place: each.recall[place]) for choose in (min, max))
            cases.append((each.recall[high] - each.recall[low], each.name, low, high, each.recall))
    if not cases:
        return ""
    gap, name, low, high, recall = max(cases)
    if gap < _SEEN:
        return ""
    return (
        f"{printable(name)} depends most on its place: of its pixels {recall[low]:.0%} are found at "
        f"{_PLACES[low]} and {recall[high]:.0%} at {_PLACES[high]}."
    )


def belief_blocks(scored: ScoredPictures) -> tuple[Block, ...]:
    """Calibration a class, and what is gained by keeping silent where it is unsure.

    Args:
        scored: The scores.

    Returns:
        Blocks of the report.
    """
    safety = scored.safety
    rows = tuple(
        (
            printable(each.name),
            decimal(each.confidence),
            decimal(each.precision),
            decimal(each.calibration_error),
            _leaning(each),
        )
        for each in safety.classes
    )
    curve = safety.risk_coverage
    blocks: list[Block] = [
        Table(
            caption="How sure it is of the pixels it gives a class, and how often it is right there",
            header=("class", "mean confidence", "share right", "expected calibration error", ""),
            rows=rows,
        ),
        Paragraph(text=f"Expected calibration error of all pixels: {safety.calibration_error:.1%}."),
    ]
    if curve.coverage:
        told = []
        for wanted in _COVERAGES:
            place = min(range(len(curve.coverage)), key=lambda each: abs(curve.coverage[each] - wanted))
            told.append(f"{curve.risk[place]:.1%} of the surest {wanted:.0%}")
        blocks += [
            Curves(
                caption="Risk and coverage: how much is wrong among the pixels it is surest of",
                x_label="share of pixels answered",
                y_label="share of wrong ones among them",
                lines=(Line(label="network", x=curve.coverage, y=curve.risk),),
            ),
            Paragraph(
                text=f"Wrong are {', '.join(told)} of pixels. Mean risk over all coverages {curve.area:.4f}; a network "
                f"that is as often wrong and knew exactly where would have {curve.least_area:.4f}."
            ),
        ]
    return tuple(blocks)


def _leaning(each: ClassSafety) -> str:
    if math.isnan(each.confidence) or abs(each.confidence - each.precision) < 0.05:  # noqa: PLR2004 - hardly seen
        return ""
    return "too sure" if each.confidence > each.precision else "too modest"


def _interval(pair: tuple[float, float]) -> str:
    return "-" if math.isnan(pair[0]) else f"{pair[0]:.3f} to {pair[1]:.3f}"
