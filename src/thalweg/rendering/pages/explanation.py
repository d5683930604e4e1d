"""An explanation as a page and as text: where the network looks, whether that can be trusted, what its stages see."""

import math
from collections.abc import Iterator, Sequence
from statistics import fmean

from thalweg.core.explanation import (
    AGREES_FROM,
    CHANGES_BELOW,
    Album,
    ExplainedSample,
    ExplainResult,
    SanityCheck,
    Stage,
)
from thalweg.core.files import printable
from thalweg.core.report import Block, Curves, Line, Paragraph, Report, Section, Table
from thalweg.rendering.markup import capitalised
from thalweg.rendering.numerals import decimal

__all__ = ["agreement_line", "explain_report", "explain_text", "faithfulness_line", "sanity_line"]

NAMES = {"grad_cam": "Grad-CAM", "occlusion": "occlusion", "saliency": "saliency", "random": "random order"}
_HOW = (
    "Orange speaks for the class, blue against it. Grad-CAM weights the maps of a layer by how much the class's score "
    "hangs on them; occlusion covers one patch after the other with the sample's mean and sees how far the score "
    "falls; saliency is how strongly the score moves with each value of the input, averaged over noisy copies."
)
_LIMITS = (
    "A map shows where the score of one class came from in one sample, not why, and not whether the network would "
    "answer so elsewhere. Grad-CAM is as coarse as its layer. Occlusion shows the network samples it never saw in "
    "training. Two methods that agree can be wrong together. Patches were cut from training samples: what a channel is "
    "for is your reading of them."
)


def explain_report(result: ExplainResult, album: Album) -> Report:
    """Gather an explanation into a report.

    Args:
        result: The answer of `explain`.
        album: Its pictures.

    Returns:
        The report, ready for `render_html`.
    """
    name = printable(result.run.rstrip("/").rpartition("/")[2] or result.run)
    sections = [
        Section(title="Where the network looks", blocks=tuple(_looks(result, album))),
        Section(title="Can these maps be trusted?", blocks=tuple(_trust(result))),
    ]
    if result.stages:
        sections.append(Section(title="From edges to parts", blocks=tuple(_hierarchy(result, album))))
    sections.append(Section(title="What this does not show", blocks=(Paragraph(text=_LIMITS),)))
    provenance = {
        "run": printable(result.run),
        "network": result.network,
        "class activation at": result.layer or "no layer has maps",
        "searched": result.searched or "no sample",
        "classes": ", ".join(map(printable, result.classes[:20])),
    }
    return Report(title=f"Where {name} looks", answer=_answer(result), sections=tuple(sections), provenance=provenance)


def explain_text(result: ExplainResult) -> str:
    """Write an explanation for a terminal.

    Args:
        result: The answer of `explain`.

    Returns:
        A few lines, with a line break at their end.
    """
    lines = [printable(result.run)]
    for sample in result.samples:
        truth = "" if sample.truth is None else " right" if sample.truth == sample.answer else f" in truth {printable(sample.truth)}"  # fmt: skip  # noqa: E501
        agreed = sample.agreements[0] if sample.agreements else None
        said = "" if agreed is None else f"; Grad-CAM and occlusion {_agreed(agreed.verdict)} ({decimal(agreed.correlation, 2)})"  # fmt: skip  # noqa: E501
        lines.append(f"  {printable(sample.file)}: {printable(sample.answer)} ({sample.probability:.0%}){truth}{said}")
    lines += [f"  {line}" for line in _answer(result)]
    lines += [f"  note: {note}" for note in result.notes]
    return "\n".join(lines) + "\n"


def _answer(result: ExplainResult) -> tuple[str, ...]:
    lines = [agreement_line(result.samples), sanity_line(result.sanity), faithfulness_line(result.samples)]
    if result.stages:
        first, last = result.stages[0], result.stages[-1]
        if len(result.stages) == 1:
            lines.append(f"One stage: a value of {last.layer} sees {_times(last.receptive_field)}.")
            return tuple(line for line in lines if line)
        lines.append(
            f"{len(result.stages)} stages: from {_times(first.receptive_field)} seen by a value of {first.layer} to "
            f"{_times(last.receptive_field)} by one of {last.layer}."
        )
    return tuple(line for line in lines if line)


def agreement_line(samples: Sequence[ExplainedSample]) -> str:
    """Say on how many samples class activation and occlusion agree.

    Args:
        samples: The samples.

    Returns:
        A sentence; empty where there is no class activation.
    """
    found = [sample.agreements[0] for sample in samples if sample.agreements]
    if not found:
        return ""
    agree = sum(each.verdict == "agree" for each in found)
    blank = sum(each.verdict == "blank" for each in found)
    ranks = [each.correlation for each in found if not math.isnan(each.correlation)]
    mean = f" (mean rank correlation {fmean(ranks):.2f})" if ranks else ""
    rest = f"; on {blank} a map is blank" if blank else ""
    of = "the only sample" if len(found) == 1 and agree else f"{agree} of {len(found)} sample{'s' * (len(found) > 1)}"
    return f"Grad-CAM and occlusion point to the same places on {of}{mean}{rest}."


def sanity_line(checks: Sequence[SanityCheck]) -> str:
    """Say whether maps change when what was learned is forgotten.

    Args:
        checks: The sanity checks.

    Returns:
        A sentence; empty where there was none.
    """
    if not checks:
        return ""
    parts = []
    for check in checks:
        rank = decimal(check.steps[-1].rank, 2)
        name = NAMES[check.method]
        if check.verdict == "changes":
            parts.append(f"{name} changes (rank correlation {rank})")
        elif check.verdict == "blank":
            parts.append(f"{name} was blank to begin with")
        else:
            parts.append(f"{name} does NOT change ({rank}): it does not show what was learned")
    return f"With randomised weights {'; '.join(parts)}."


def faithfulness_line(samples: Sequence[ExplainedSample]) -> str:
    """Say whether what the first map points to matters more than random places.

    Args:
        samples: The samples.

    Returns:
        A sentence; empty where there are no curves.
    """
    pairs = []
    for sample in samples:
        mapped, chance = sample.curve("grad_cam") or sample.curve("occlusion"), sample.curve("random")
        if mapped is not None and chance is not None:
            pairs.append((mapped, chance))
    if not pairs:
        return ""
    deletion = fmean(one.deletion_area for one, _ in pairs), fmean(other.deletion_area for _, other in pairs)
    insertion = fmean(one.insertion_area for one, _ in pairs), fmean(other.insertion_area for _, other in pairs)
    better = sum(one.deletion_area < other.deletion_area for one, other in pairs)
    name = NAMES[pairs[0][0].order]
    return (
        f"Covering what {name} points to first takes more off the answer than covering at random on {better} of "
        f"{len(pairs)} (area {deletion[0]:.2f} against {deletion[1]:.2f}; bringing it back first: "
        f"{insertion[0]:.2f} against {insertion[1]:.2f})."
    )


def _looks(result: ExplainResult, album: Album) -> Iterator[Block]:
    yield Paragraph(text=_HOW)
    for notice in result.left_out:
        yield Paragraph(text=f"{printable(notice.file)} is left out: {notice.reason}", style="warning")
    for note in result.notes:
        yield Paragraph(text=capitalised(note) + ".", style="note")
    for target, probability, number in _unmoved(result.samples):
        yield Paragraph(
            text=f"{number} of {len(result.samples)} answers stay {target} ({probability:.0%}) even when the whole "
            f"{result.form} is covered: nothing in it speaks for that class so much as nothing speaks against it, and "
            f"a map for it shows little.",
            style="note",
        )
    for sample, blocks in zip(result.samples, album.samples, strict=True):
        yield from blocks
        if sample.curves:
            yield _sample_curves(sample)


_KEPT = 0.9
"""An answer does not hang on a sample if so much of its probability is left when all of it is covered."""


def _unmoved(samples: Sequence[ExplainedSample]) -> Iterator[tuple[str, float, int]]:
    """Classes that are answered even for a covered sample, with the probability left, and on how many samples."""
    left: dict[str, list[float]] = {}
    for sample in samples:
        for curve in sample.curves[:1]:
            if curve.deletion[-1] >= _KEPT * curve.deletion[0] and curve.target == sample.answer:
                left.setdefault(curve.target, []).append(curve.deletion[-1])
    for target, found in left.items():
        yield printable(target), fmean(found), len(found)


def _agreed(verdict: str) -> str:
    return {"agree": "agree", "do not agree": "do not agree", "blank": "cannot be compared, one is blank"}[verdict]


def _sample_curves(sample: ExplainedSample) -> Curves:
    target = printable(sample.curves[0].target)
    lines = []
    shown = [
        curve for curve in (sample.curve("grad_cam") or sample.curve("occlusion"), sample.curve("random")) if curve
    ]
    for curve in shown:
        name = NAMES[curve.order]
        lines.append(Line(label=f"deleted, {name}", x=curve.shares, y=curve.deletion, dashed=curve.order == "random"))
    for curve in shown:
        name = NAMES[curve.order]
        lines.append(Line(label=f"inserted, {name}", x=curve.shares, y=curve.insertion, dashed=curve.order == "random"))
    return Curves(
        caption=f"Does {target} hang on these places? Cells deleted should make it fall fast, inserted rise fast",
        x_label="share of the cells",
        y_label=f"probability of {target}",
        lines=tuple(lines),
        y_range=(0.0, 1.0),
        small=True,
    )


def _trust(result: ExplainResult) -> Iterator[Block]:
    rows = [
        (
            printable(sample.file),
            printable(each.target),
            decimal(each.correlation, 2),
            _agreed(each.verdict),
        )
        for sample in result.samples
        for each in sample.agreements
    ]
    yield Paragraph(
        text="Three questions are put to the maps. Do two methods that work differently point to the same places? Does "
        "the map change when the network forgets what it learned? Does the answer fall when what it points to is "
        "covered?"
    )
    if rows:
        yield Table(
            caption=f"Grad-CAM against occlusion, rank correlation over the cells; they agree from {AGREES_FROM} on",
            header=("sample", "class", "correlation", "verdict"),
            rows=tuple(rows),
        )
    for check in result.sanity:
        yield from _sanity(check)
    curves = [(sample, sample.curves) for sample in result.samples if sample.curves]
    if curves:
        yield Table(
            caption="Insertion and deletion: a good map has a large insertion and a small deletion area",
            header=("sample", "order", "insertion", "deletion"),
            rows=tuple(
                (printable(sample.file), NAMES[each.order], f"{each.insertion_area:.3f}", f"{each.deletion_area:.3f}")
                for sample, several in curves
                for each in several
            ),
            folded=True,
        )


def _sanity(check: SanityCheck) -> Iterator[Block]:
    name = NAMES[check.method]
    if check.verdict == "does not change":
        yield Paragraph(
            text=f"The {name} maps do not change when all weights are drawn anew (rank correlation "
            f"{decimal(check.steps[-1].rank, 2)}, {CHANGES_BELOW} or more). They show the sample rather than what the "
            f"network learned about it: do not read them as an explanation.",
            style="warning",
        )
    elif check.verdict == "blank":
        yield Paragraph(text=f"The {name} maps are the same everywhere, so nothing can be checked.", style="warning")
    yield Table(
        caption=f"Sanity check of {name} (Adebayo et al. 2018): likeness to the trained network's maps, over "
        f"{check.positions:,} places, while it forgets from the answer down; below {CHANGES_BELOW} at the end "
        f"they change",
        header=("forgotten as well", "rank correlation", "structural similarity", "blank maps"),
        rows=tuple(
            (step.forgotten, decimal(step.rank, 2), decimal(step.structure, 2), _share(step.blank))
            for step in check.steps
        ),
    )


def _hierarchy(result: ExplainResult, album: Album) -> Iterator[Block]:
    yield Paragraph(
        text="Early stages see a few values and answer to edges and colours, middle ones to textures, late ones to "
        "parts and whole things (Zeiler and Fergus 2014). Each patch below is what one value of a channel can see, "
        "cut to the middle half of the sample where it could see more."
    )
    if album.filters is not None:
        yield album.filters
    for stage in result.stages:
        yield Paragraph(text=_stage(stage, result))
        for grid in (album.patches.get(stage.number), album.maps.get(stage.number)):
            if grid is not None:
                yield grid
    yield Table(
        caption="The stages",
        header=("stage", "last layer", "channels", "positions", "sees", "apart", "silent channels"),
        rows=tuple(
            (
                str(stage.number),
                stage.layer,
                f"{stage.channels:,}",
                _times(stage.extents),
                _times(stage.receptive_field),
                _times(tuple(f"{each:g}" for each in stage.stride)),
                "-" if stage.silent is None else f"{stage.silent:,}",
            )
            for stage in result.stages
        ),
    )


def _stage(stage: Stage, result: ExplainResult) -> str:
    unit = {"picture": "pixels", "signal": "steps", "volume": "voxels"}[result.form]
    silent = ""
    if stage.silent:
        silent = f" {stage.silent:,} of its {stage.channels:,} channels never changed over {result.searched}."
    share = fmean(seen / extent for seen, extent in zip(stage.receptive_field, result.extents, strict=True))
    kind = "edges and colours" if share < _FEW else "textures" if share < _MANY else "parts and whole things"
    if result.form != "picture":
        kind = "single steps and slopes" if share < _FEW else "short patterns" if share < _MANY else "long patterns"
    return (
        f"Stage {stage.number} ends in {stage.layer}: {stage.channels:,} channels of {_times(stage.extents)} "
        f"positions; each value sees {_times(stage.receptive_field)} {unit} of {_times(result.extents)}, enough for "
        f"{kind}.{silent}"
    )


_FEW, _MANY = 0.12, 0.6
"""Shares of each axis that a value sees, up to which it can hold an edge, a texture."""


def _times(numbers: Sequence[object]) -> str:
    return " x ".join(map(str, numbers))


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.0%}"
