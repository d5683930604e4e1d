"""What a repair did to a run, and why: an event that also carries the numbers."""

from dataclasses import dataclass
from typing import Literal

from thalweg.core.history import Event

__all__ = ["Intervention", "InterventionKind"]

InterventionKind = Literal[
    "raise_rate", "lower_rate", "decay", "restart", "reinitialise", "rescale", "roll_back", "skip_update", "perturb"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention(Event):
    """One repair of a running training.

    Args:
        epoch: Epoch counted from 1; 0 where the loop's epochs are not known.
        step: Step counted from 1 over the whole run.
        kind: One of `InterventionKind`.
        message: The sentence to show, with the reason in it.
        reason: Why, without the numbers of the change.
        learning_rate_before: Rate in use until then.
        learning_rate_after: Rate from then on (the peak, where a ramp leads to it).
        steps_rolled_back: Updates whose effect was undone.

    Example:
        >>> Intervention.made(step=41, kind="roll_back", reason="the loss rose from 0.4 to 9", before=0.8, after=0.4,
        ...                   back=30).message
        'rolled back 30 steps, learning rate 0.8 -> 0.4: the loss rose from 0.4 to 9'
    """

    reason: str = ""
    learning_rate_before: float = float("nan")
    learning_rate_after: float = float("nan")
    steps_rolled_back: int = 0

    @classmethod
    def made(
        cls,
        *,
        step: int,
        kind: InterventionKind,
        reason: str,
        before: float,
        after: float,
        back: int = 0,
        epoch: int = 0,
    ) -> "Intervention":
        """Write an intervention with its sentence.

        Args:
            step: Step counted from 1.
            kind: What was done.
            reason: Why, without the numbers of the change.
            before: Learning rate until then.
            after: Learning rate from then on.
            back: Updates undone.
            epoch: Epoch counted from 1, or 0.

        Returns:
            The intervention.
        """
        done = (_DONE if back else _DONE | _AT_START)[kind].format(back=back)
        change = "" if before == after else f", learning rate {before:.3g} -> {after:.3g}"
        return cls(
            epoch=epoch,
            step=step,
            kind=kind,
            message=f"{done}{change}: {reason}",
            reason=reason,
            learning_rate_before=before,
            learning_rate_after=after,
            steps_rolled_back=back,
        )


_DONE: dict[InterventionKind, str] = {
    "raise_rate": "raised",
    "lower_rate": "lowered",
    "decay": "decays from here",
    "restart": "went back to the initial weights, {back} steps",
    "reinitialise": "drew new initial weights",
    "rescale": "scaled the initial weights, {back} steps undone",
    "roll_back": "rolled back {back} steps",
    "skip_update": "skipped the update",
    "perturb": "shook the weights",
}
_AT_START: dict[InterventionKind, str] = {"rescale": "scaled the initial weights"}
