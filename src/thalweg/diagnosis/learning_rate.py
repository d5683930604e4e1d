"""Whether a run's learning rate was too low, about right or too high, from its curves alone."""

from thalweg.core.finding import Evidence
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.diagnosis.features import features

__all__ = ["estimate"]


def estimate(history: RunHistory) -> LearningRateEstimate:
    """Judge the learning rate of a run by its curves; the recorded rate itself is not looked at.

    Args:
        history: The run.

    Returns:
        Verdict, factor (rate in use over the best one) with its interval, confidence and evidence.

    Example:
        >>> rows = [{"epoch": n, "train_loss": 2.303 - 0.002 * n} for n in range(1, 11)]
        >>> estimate(RunHistory.from_epochs(rows)).verdict
        'too_low'
    """
    found = features(history)
    short = next((name for name in ("tl", "vl", "te", "ve") if name + "_fall" in found), None)
    broken = max((value for name, value in found.items() if name.endswith("_broken")), default=0.0)
    if broken:
        seen = (Evidence(signal="train_loss", window="run", observed=broken, threshold=0.0, source="share not finite"),)
        return LearningRateEstimate(
            verdict="too_high", factor=30.0, interval=(10.0, None), confidence=0.9, reason="the loss became non-finite",
            evidence=seen,
        )  # fmt: skip
    if short is None or short + "_late" not in found:
        return LearningRateEstimate(verdict="undetermined", reason="fewer than three epochs are recorded")
    fall, late = found[short + "_fall"], found[short + "_late_share"]
    seen = (Evidence(signal="train_loss", window="run", observed=fall, threshold=0.05, source="ln first / end"),)
    if fall < -0.05 or found[short + "_back"] > 0.3:  # noqa: PLR2004
        return LearningRateEstimate(
            verdict="too_high", factor=5.0, interval=(1.5, 30.0), confidence=0.7,
            reason="it ends above where it was before", evidence=seen,
        )  # fmt: skip
    if fall < 0.05 or (late > 0.28 and found[short + "_rising"] < 0.1):  # noqa: PLR2004
        return LearningRateEstimate(
            verdict="too_low", factor=0.05, interval=(None, 0.5), confidence=0.7, reason="it falls slowly", evidence=seen
        )
    return LearningRateEstimate(
        verdict="about_right", factor=1.0, interval=(0.3, 3.0), confidence=0.6,
        reason="most of the fall came early", evidence=seen,
    )  # fmt: skip
