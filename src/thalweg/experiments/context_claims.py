"""What the trainings of `lab context` say, by module and class, with intervals over seeds; and what context is used."""

from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.accounting.ledger import count
from thalweg.core.context_use import ContextUse, confusion_changes
from thalweg.core.lab import LabFinding
from thalweg.core.network_spec import NetworkSpec
from thalweg.experiments.context_networks import DEEPER
from thalweg.experiments.context_runs import SceneRun
from thalweg.experiments.context_scenes import SceneData
from thalweg.experiments.paired import Paired, paired, verdict
from thalweg.experiments.sizing import said_cost
from thalweg.workbench.reporting.context import street_changes

__all__ = [
    "best_module",
    "gains",
    "judge_context",
    "judge_control",
    "judge_field",
    "judge_removal",
    "judge_street",
]

MARGIN = 0.02
"""A mean IoU that differs by less is as good."""
_HALF, _MOST, _LITTLE = 0.5, 0.9, 0.25
_MODULES = ("pool", "pyramid", "atrous", "nonlocal", "gc")

Runs = Mapping[str, Sequence[SceneRun]]


def best_module(found: Runs) -> str:
    """The module with the highest mean IoU over seeds.

    Args:
        found: The trainings of every network.

    Returns:
        Its name.
    """
    return max((name for name in _MODULES if name in found), key=lambda name: _mean(found[name]))


def _mean(runs: Sequence[SceneRun]) -> float:
    return float(np.mean([run.mean_iou for run in runs]))


def _by_class(found: Runs, name: str, place: int) -> Paired | None:
    pairs = [(run.iou[place], other.iou[place]) for run, other in zip(found[name], found["none"], strict=True)]
    known = [(one, other) for one, other in pairs if np.isfinite(one) and np.isfinite(other)]
    return paired(*zip(*known, strict=True)) if known else None


def gains(classes: Sequence[str], found: Runs, name: str) -> tuple[list[str], list[str]]:
    """The classes whose IoU differs from that without a module for certain.

    Args:
        classes: Names of the classes.
        found: The trainings of every network.
        name: The network.

    Returns:
        Those that gain and those that lose, in words.
    """
    better: list[str] = []
    worse: list[str] = []
    for place, each in enumerate(classes):
        change = _by_class(found, name, place)
        if change is not None and name != "none" and change.sign():
            (better if change.sign() > 0 else worse).append(f"{each} {change.mean:+.3f}")
    return better, worse


def judge_context(
    data: SceneData,
    specs: Mapping[str, NetworkSpec],
    found: Runs,
    uses: Mapping[str, ContextUse],
    seconds: Mapping[str, float],
) -> tuple[LabFinding, ...]:
    """Judge the claims.

    Args:
        data: What was trained on.
        specs: The networks.
        found: Their trainings.
        uses: How much context two of them use.
        seconds: Of one picture, by network.

    Returns:
        The findings.
    """
    best = best_module(found)
    return (
        *(_helps(data, specs, found, seconds, name) for name in _MODULES if name in found),
        _removes(data, found, best),
        *((_deeper(specs, found, best),) if DEEPER in found else ()),
        *(finding for finding in (judge_removal(uses[best]), judge_field(uses["none"])) if finding),
    )


def _helps(
    data: SceneData, specs: Mapping[str, NetworkSpec], found: Runs, seconds: Mapping[str, float], name: str
) -> LabFinding:
    change = paired([run.mean_iou for run in found[name]], [run.mean_iou for run in found["none"]])
    better, worse = gains(data.classes, found, name)
    ours, plain = count(specs[name]), count(specs["none"])
    classes = f"certain for {', '.join(better)}" if better else "for no class for certain"
    classes += f"; it loses {', '.join(worse)}" if worse else ""
    return LabFinding(
        claim=f"Global context helps here: {name} against none at equal cost",
        verdict=verdict(change.sign()),
        observed=f"mean IoU {_mean(found[name]):.3f} against {_mean(found['none']):.3f}: {change.said(digits=3)}; "
        f"{classes}; {said_cost(ours.parameters)} against {said_cost(plain.parameters)} parameters, "
        f"{said_cost(ours.macs or 0)} against {said_cost(plain.macs or 0)} MACs, {1e3 * seconds[name]:.2f} against "
        f"{1e3 * seconds['none']:.2f} ms a picture",
    )


def _share(run: SceneRun, truth: int, predicted: int) -> float:
    held = sum(run.confusion[truth])
    return run.confusion[truth][predicted] / held if held else float("nan")


def _removes(data: SceneData, found: Runs, best: str) -> LabFinding:
    tables = {name: np.sum([run.confusion for run in found[name]], axis=0) for name in ("none", best)}
    changes = confusion_changes(tables[best].tolist(), tables["none"].tolist(), data.classes)
    removed = [each for each in changes if each.pixels > 0][:3]
    if not removed:
        return LabFinding(
            claim="Context removes confusions",
            verdict="contradicted",
            observed=f"no confusion is rarer with {best}",
        )
    first = removed[0]
    places = (data.classes.index(first.truth), data.classes.index(first.predicted))
    change = paired([_share(run, *places) for run in found["none"]], [_share(run, *places) for run in found[best]])
    words = "; ".join(
        f"{each.truth} called {each.predicted} {100 * each.without:.1f} % without, {100 * each.with_context:.1f} % with"
        for each in removed
    )
    brought = [each for each in changes if each.pixels < 0][-1:]
    more = f"; it brings {brought[0].truth} called {brought[0].predicted}" if brought else ""
    return LabFinding(
        claim=f"Context removes a confusion: {first.truth} called {first.predicted}",
        verdict=verdict(change.sign()),
        observed=f"{words} ({best}){more}; the first {change.said(factor=100, unit=' points')} fewer",
        fails="the pair that changed most was picked out afterwards, so its interval is too narrow",
    )


def _deeper(specs: Mapping[str, NetworkSpec], found: Runs, best: str) -> LabFinding:
    change = paired([run.mean_iou for run in found[DEEPER]], [run.mean_iou for run in found[best]])
    good = change.low > -MARGIN
    bad = change.high < -MARGIN
    field = count(specs[DEEPER]).receptive_field
    return LabFinding(
        claim="A deeper network of the same cost needs no context module",
        verdict="supported" if good else "contradicted" if bad else "undecided",
        observed=f"mean IoU {_mean(found[DEEPER]):.3f} at a receptive field of {'x'.join(map(str, field))} pixels, "
        f"{_mean(found[best]):.3f} with {best}: {change.said(digits=3)}",
        fails=f"as good means within {MARGIN:g}; after as many steps, and deep layers may need more of them",
    )


def judge_removal(use: ContextUse) -> LabFinding | None:
    """Judge whether a trained network relies on its context module.

    Args:
        use: What was measured.

    Returns:
        The finding; None where the network has no module.
    """
    removal = use.removal
    if removal is None:
        return None
    lost = removal.mean_iou_with - removal.mean_iou_without
    first = removal.changes[0] if removal.changes and removal.changes[0].pixels > 0 else None
    words = (
        f"; most of all {first.truth} is then called {first.predicted} ({100 * first.without:.1f} % and not "
        f"{100 * first.with_context:.1f} %)"
        if first
        else ""
    )
    return LabFinding(
        claim="The trained network relies on what its context module adds",
        verdict="supported" if lost > MARGIN else "contradicted",
        observed=f"{use.network}: mean IoU {removal.mean_iou_with:.3f}, and {removal.mean_iou_without:.3f} with what "
        f"it adds replaced by its mean over {use.pictures} pictures{words}",
        fails="one training was looked into; a network trained without the module may make up for it",
    )


def judge_field(use: ContextUse) -> LabFinding:
    """Judge whether a network uses what its receptive field holds.

    Args:
        use: What was measured.

    Returns:
        The finding.
    """
    half, most, nearly = (each.radius for each in use.reach)
    side = 2 * most + 1
    enough = {curve.fill: curve.enough() for curve in use.curves}
    said = ", ".join(
        f"{fill} {'more than the largest' if radius is None else radius}" for fill, radius in enough.items()
    )
    seen = min(min(field, extent) for field, extent in zip(use.field, use.extents, strict=True))
    share = side / seen  # what a field holds beyond the picture's edge nobody can use
    return LabFinding(
        claim="A network uses as much of a picture as its receptive field says",
        verdict="contradicted" if share < _HALF else "supported" if share > _MOST else "undecided",
        observed=f"{use.network}: receptive field {'x'.join(map(str, use.field))} pixels; 50, 90 and 99 % of gradient "
        f"energy lie within {half:.0f}, {most:.0f} and {nearly:.0f} pixels of a place (at 90 % a square "
        f"{100 * share:.0f} % as wide as what the field holds of the picture); 95 % of the answers stay from this "
        f"radius on, by fill: {said}",
        fails="contradicted below half as wide, supported above nine tenths; after Luo et al. 2016",
    )


def judge_street(use: ContextUse) -> LabFinding | None:
    """Judge whether context keeps people and sidewalks from being taken for the ground around them.

    Args:
        use: What was measured.

    Returns:
        The finding; None without a context module, or where the classes are none of a street.
    """
    changes = street_changes(use)
    if not changes:
        return None
    fewer = sum(each.pixels for each in changes)
    words = "; ".join(
        f"{each.truth} called {each.predicted} {100 * each.without:.1f} % without, {100 * each.with_context:.1f} % with"
        for each in changes
    )
    return LabFinding(
        claim="Context keeps people and sidewalks from being called the ground around them",
        verdict="supported" if fewer > 0 else "contradicted",
        observed=f"{words}; {fewer:,} pixels fewer in all",
        fails="one training, the module silenced and not left out in training; no interval",
    )


def judge_control(use: ContextUse) -> LabFinding | None:
    """Judge whether networks that never saw beyond a radius miss what fills take away.

    Args:
        use: What was measured.

    Returns:
        The finding, at the control's radius where filling costs most; None without a control.
    """
    control = use.control
    if control is None or len(control.radii) < 2:  # noqa: PLR2004 - a crop and the whole
        return None
    filled = use.curves[0]
    lost = {
        radius: filled.accuracy[-1] - filled.accuracy[filled.radii.index(radius)]
        for radius in control.radii[:-1]
        if radius in filled.radii
    }
    radius = max(lost, key=lambda each: lost[each])
    missed = control.accuracy[-1] - control.accuracy[control.radii.index(radius)]
    share = missed / lost[radius] if lost[radius] > 0 else float("nan")
    said = ", ".join(f"{value:.3f} at {each}" for each, value in zip(control.radii, control.accuracy, strict=True))
    rest = (
        "what is left of it is the fill's own doing"
        if lost[radius] >= MARGIN
        else "too little to say whose doing it is"
    )
    return LabFinding(
        claim="A network that never sees further misses what filling takes away",
        verdict="undecided"
        if lost[radius] < MARGIN
        else "supported"
        if share > _HALF
        else "contradicted"
        if share < _LITTLE
        else "undecided",
        observed=f"right at sampled pixels, trained on crops of a radius: {said} (whole pictures); at radius {radius} "
        f"they lose {missed:.3f}, and filling with the mean loses {lost[radius]:.3f}: {rest}",
        fails="one training a radius, few steps from the run's weights; supported above half, contradicted below a "
        "quarter",
    )
