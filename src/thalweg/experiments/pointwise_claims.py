"""What the numbers of `lab pointwise` say about each claim."""

from collections.abc import Sequence

from thalweg.core.lab import LabFinding
from thalweg.experiments.pointwise_costs import Saving
from thalweg.experiments.pointwise_facts import Linearity
from thalweg.experiments.pointwise_layers import KEPT, LayerReach
from thalweg.experiments.pointwise_trials import MARGIN, Trial
from thalweg.experiments.seeds import Verdict

__all__ = ["judge_pointwise"]

_EQUAL = 1e-9
"""Rounding of double precision, with room for the order of sums."""
_USEFUL, _IN_STEP = 1.1, 0.8
"""A change of time below this is none; and time keeps up with MACs from this share on."""
_CLEAR = 0.1
"""A difference of shares below this is none."""


def judge_pointwise(
    linear: Linearity,
    costs: Sequence[Saving],
    known: Sequence[Saving],
    layers: Sequence[LayerReach],
    trials: Sequence[Trial],
) -> tuple[LabFinding, ...]:
    """Hold what is taught of 1x1 convolutions against the numbers.

    Args:
        linear: The equalities.
        costs: Convolutions counted and timed.
        known: Published networks counted.
        layers: Of the network that was looked into.
        trials: Networks trained with and without; none for a run.

    Returns:
        One finding a claim.
    """
    return (
        *_what_it_is(linear),
        *_what_it_saves(costs, known),
        *_how_far(layers),
        *([_where_not(trials)] if trials else []),
    )


def _what_it_is(linear: Linearity) -> tuple[LabFinding, LabFinding]:
    return (
        LabFinding(
            claim="A 1x1 convolution is a linear mix of channels at each place: a product of matrices",
            verdict="supported" if linear.product < _EQUAL else "contradicted",
            observed=f"largest difference from the product {linear.product:.1e} of the largest value, on what the "
            f"network's first windowed layer reads",
        ),
        LabFinding(
            claim="Without an activation two 1x1 convolutions are one; with one they are not",
            verdict="supported" if linear.two_linear < _EQUAL < 1e-3 < linear.sum_active else "contradicted",  # noqa: PLR2004 - far beyond rounding
            observed=f"without: {linear.two_linear:.1e} from the one of their product, f(x+y) {linear.sum_linear:.1e} "
            f"from f(x)+f(y); with a ReLU between {linear.sum_active:.2f}, and the best single 1x1 leaves "
            f"{linear.unexplained:.1%} of the variance",
        ),
    )


def _what_it_saves(costs: Sequence[Saving], known: Sequence[Saving]) -> tuple[LabFinding, LabFinding]:
    counted = [
        f"{each.name}: {each.fewer_macs:.1f} times fewer MACs, {_fewer(each):.1f} times fewer parameters"
        for each in (costs[0], *known)
    ]
    less = all(each.fewer_macs > 1 and _fewer(each) > 1 for each in (*costs, *known))
    in_step = [each for each in costs if each.faster >= _IN_STEP * each.fewer_macs]
    slower = [each for each in costs if each.faster < _USEFUL]
    timed = [f"{each.name}: {each.fewer_macs:.1f} times fewer MACs, {each.faster:.1f} times as fast" for each in costs]
    return (
        LabFinding(
            claim="A 1x1 before a wide window saves parameters and MACs: Inception and ResNet rest on it",
            verdict="supported" if less else "contradicted",
            observed="; ".join(counted),
            fails="it saves only where the 1x1 leaves clearly fewer channels than the window would read",
        ),
        LabFinding(
            claim="It saves as much time as it saves MACs",
            verdict="supported" if len(in_step) == len(costs) else "contradicted" if not in_step else "undecided",
            observed="; ".join(timed),
            fails=f"no time is saved by {'; '.join(each.name for each in slower)}" if slower else "",
        ),
    )


def _fewer(saving: Saving) -> float:
    return saving.parameters[0] / saving.parameters[1]


def _how_far(layers: Sequence[LayerReach]) -> tuple[LabFinding, ...]:
    if not layers:
        return (
            LabFinding(
                claim="The channels of a trained layer fill fewer dimensions than there are",
                verdict="undecided",
                observed="no layer of this network has a window and reads 8 channels or more",
            ),
        )
    half = [each for each in layers if each.enough and 2 * each.enough.channels <= each.cloud.channels]
    saved = [each for each in layers if each.enough and each.macs[1] < each.macs[0]]
    share = len(half) / len(layers)
    first = layers[0]
    if first.accuracy <= first.majority:
        return (
            LabFinding(
                claim=f"Channels can be halved or more by a 1x1 that keeps {KEPT:.0%} of the accuracy",
                verdict="undecided",
                observed=f"the network is right in {first.accuracy:.3f}, the largest class alone in "
                f"{first.majority:.3f}: it has nothing to lose. " + "; ".join(each.said for each in layers),
            ),
        )
    deep: Verdict = "undecided"
    quarters = len(layers) // 2
    early, late = (_mean_share(part) for part in (layers[:quarters], layers[len(layers) - quarters :]))
    if quarters:
        deep = "supported" if early - late > _CLEAR else "contradicted" if late - early > _CLEAR else "undecided"
    gone = min(layers, key=lambda each: each.by_chance / max(each.accuracy, 1e-9))
    findings = [
        LabFinding(
            claim=f"Channels can be halved or more by a 1x1 that keeps {KEPT:.0%} of the accuracy",
            verdict="supported" if share >= 0.8 else "contradicted" if share <= 0.2 else "undecided",  # noqa: PLR2004 - most, few
            observed="; ".join(each.said for each in layers),
            fails=f"as many random directions keep less: before {gone.name} "
            f"{gone.by_chance / max(gone.accuracy, 1e-9):.1%}; MACs fall in {len(saved)} of {len(layers)} layers"
            + (
                ""
                if len(half) == len(layers)
                else f"; not in {', '.join(each.name for each in layers if each not in half)}"
            ),
        )
    ]
    if quarters:
        findings.append(
            LabFinding(
                claim="Deep layers can be reduced further than shallow ones",
                verdict=deep,
                observed=f"share of the channels that is needed: {early:.0%} on average in the first {quarters} of "
                f"{len(layers)} layers, {late:.0%} in the last {quarters}",
                fails="one network: the order of single layers is not certain",
            )
        )
    return tuple(findings)


def _mean_share(layers: Sequence[LayerReach]) -> float:
    shares = [(each.enough.channels if each.enough else each.cloud.channels) / each.cloud.channels for each in layers]
    return sum(shares) / len(shares) if shares else 0.0


def _where_not(trials: Sequence[Trial]) -> LabFinding:
    verdicts = {trial.name: trial.scores.as_good("with", "without", margin=MARGIN) for trial in trials}
    helped = [
        trial
        for trial in trials
        if verdicts[trial.name] == "supported" and trial.seconds[0] / trial.seconds[1] >= _USEFUL
    ]
    told = [
        f"{trial.name}: accuracy {trial.scores.against('with', 'without')}, {trial.macs[0] / trial.macs[1]:.1f} times "
        f"fewer MACs, {trial.seconds[0] / trial.seconds[1]:.2f} times as fast"
        for trial in trials
    ]
    others = [f"{trial.name} (accuracy kept: {verdicts[trial.name]})" for trial in trials if trial not in helped]
    lost = [trial for trial in trials if verdicts[trial.name] == "contradicted"]
    return LabFinding(
        claim="A 1x1 to a quarter before each 5x5 helps: less time, and the accuracy stays",
        verdict="supported"
        if len(helped) == len(trials)
        else "contradicted"
        if len(lost) == len(trials)
        else "undecided",
        observed=f"it was shown to in {len(helped)} of {len(trials)} settings. " + "; ".join(told),
        fails="not shown for " + ", ".join(others) if others else "",
    )
