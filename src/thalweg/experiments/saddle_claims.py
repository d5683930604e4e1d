"""What the numbers of `lab saddle` say about each claim of the course."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.core.lab import LabFinding
from thalweg.experiments.saddle_problems import Student
from thalweg.experiments.walkers import OPTIMIZERS

__all__ = ["DISTANCES", "SaddleCase", "judge_claims", "judge_plateau"]

DISTANCES = (1e-1, 1e-3, 1e-6, 0.0)
"""Where the starts lie: so far beside the way into the saddle."""
BETTER = 0.8
"""An optimizer is better in a case when it needs less than this share of the other's steps."""
CLEAR = 0.8
"""A claim is supported when it holds in this share of the cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaddleCase:
    """One start of one problem.

    Args:
        problem: Its name.
        distance: How far from the way into the saddle.
        noise: Of the gradient, in words.
        steps: Median steps to escape of every optimizer; infinite where most runs did not.
    """

    problem: str
    distance: float
    noise: str
    steps: dict[str, float]


def judge_plateau(verdict: str) -> LabFinding:
    """Say whether the plateau of identical units is a saddle.

    Args:
        verdict: The words of the critical-point judge.

    Returns:
        The finding.
    """
    return LabFinding(
        claim="The place where identical units end is a saddle, not a minimum",
        verdict="supported" if verdict.startswith("saddle") else "contradicted",
        observed=f"judged by its gradient and the curvature at both ends: {verdict}",
    )


def judge_claims(cases: Sequence[SaddleCase]) -> tuple[LabFinding, ...]:
    """Hold the course's claims against the cases.

    Args:
        cases: All of them.

    Returns:
        One finding a claim.
    """
    near = [case for case in cases if case.distance > 0]
    exact = [case for case in cases if case.distance == 0 and case.noise in {"none", "full batch"}]
    network = [case for case in cases if case.problem == Student.name and case.distance == 0]
    against = {name: [case.steps["Adam"] / case.steps[name] for case in near if math.isfinite(case.steps[name])]
               for name in OPTIMIZERS[:2]}  # fmt: skip
    better = {name: _share(ratios, near, name) for name, ratios in against.items()}
    stuck = [case for case in near if math.isinf(case.steps["SGD"])]
    slow = _slowing(near)
    lost = [case for case in near if not case.steps["Adam"] < BETTER * case.steps["SGD with momentum"]]
    holds = all(share >= CLEAR for share in better.values())
    fails = all(share <= 1 - CLEAR for share in better.values())
    moved = sorted({name for case in exact for name, steps in case.steps.items() if math.isfinite(steps)})
    parted = sorted({name for case in network for name, steps in case.steps.items() if math.isfinite(steps)})
    return (
        LabFinding(
            claim="Adam handles saddles better than SGD",
            verdict="supported" if holds else "contradicted" if fails else "undecided",
            observed=f"near the saddle Adam is clearly faster (less than {BETTER:g} of the steps) than SGD in "
            f"{better['SGD']:.0%} and than SGD with momentum in {better['SGD with momentum']:.0%} of {len(near)} "
            f"cases; median share of their steps {_median(against['SGD'])} and {_median(against['SGD with momentum'])}",
            fails=f"median share of SGD's steps {_kinds(near)}: it profits where a weight of its own leads out; not "
            f"clearly faster than momentum in {len(lost)} of {len(near)} cases; on the exact saddle it stays too",
        ),
        LabFinding(
            claim="SGD gets stuck at saddles",
            verdict="supported" if len(stuck) > CLEAR * len(near) else "contradicted" if not stuck else "undecided",
            observed=f"at its best rate plain SGD left in {len(near) - len(stuck)} of {len(near)} cases near the "
            f"saddle; a thousand times nearer costs it {slow}: time grows with the logarithm of the distance",
            fails="exactly on the saddle, or on the way into it, the gradient shows no way out and it stays",
        ),
        LabFinding(
            claim="Noise is what carries an optimizer off an exact saddle",
            verdict="supported" if moved == ["perturbed SGD"] and parted == ["perturbed SGD"] else "undecided",
            observed=f"on the exact saddle without noise only {', '.join(moved) or 'nobody'} left; in the network of "
            f"equal units only {', '.join(parted) or 'nobody'}, small batches or not",
            fails="the noise of small batches is the same for equal units: only a perturbation parts them",
        ),
    )


def _kinds(near: Sequence[SaddleCase]) -> str:
    """Adam's steps as a share of SGD's, on problems of each kind."""
    kinds = {"along the axes": "along the axes", "turned": "turned", "in the network": Student.name}
    told = []
    for words, part in kinds.items():
        ratios = [case.steps["Adam"] / case.steps["SGD"] for case in near if part in case.problem]
        told.append(f"{_median([ratio for ratio in ratios if math.isfinite(ratio)])} {words}")
    return ", ".join(told)


def _share(ratios: Sequence[float], near: Sequence[SaddleCase], name: str) -> float:
    alone = sum(math.isinf(case.steps[name]) and math.isfinite(case.steps["Adam"]) for case in near)
    return (sum(ratio < BETTER for ratio in ratios) + alone) / max(1, len(near))


def _median(ratios: Sequence[float]) -> str:
    return f"{sorted(ratios)[len(ratios) // 2]:.2g}" if ratios else "-"


def _slowing(near: Sequence[SaddleCase]) -> str:
    """How much longer SGD takes from a thousand times nearer, without noise."""
    found = {}
    for case in near:
        if case.noise in {"none", "full batch"}:
            found[case.problem, case.distance] = case.steps["SGD"]
    near_and_far = [
        (steps, found[problem, DISTANCES[1]])
        for (problem, distance), steps in found.items()
        if distance == DISTANCES[2]
    ]
    ratios = [late / early for late, early in near_and_far if math.isfinite(late) and math.isfinite(early)]
    return f"{_median(ratios)} times the steps" if ratios else "more steps than were made"
