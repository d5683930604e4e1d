"""Ways out, as typed edits of a plan: what to set, how safe that is, what should be seen afterwards, what it costs.

An edit names fields of a training plan and their new values. Where the rate in use is not recorded nobody can say the
new one; then `learning_rate_factor` says what to multiply it by.
"""

from collections.abc import Mapping

from thalweg.core.remedy import Remedy

__all__ = ["change_rate", "remedy", "round_factor"]

Edit = Mapping[str, str | float | int | bool | None]

_EFFECTS: dict[str, tuple[str, str]] = {
    "warm_up": ("the first steps stay small while the statistics of gradients settle", "a few slow steps"),
    "decay": ("the fluctuation shrinks with the rate and the loss sinks below its floor", "nothing"),
    "adaptive_optimizer": ("steps no longer follow the gradient's size layer by layer", "two numbers a weight"),
    "clip_gradients": ("one wild batch can no longer throw the weights away", "nothing measurable"),
    "larger_batch": ("the gradient's noise falls with the root of the batch size", "memory, and fewer steps an epoch"),
    "roll_back": ("the weights from before the rise are good; go on from them at a lower rate", "the epochs since"),
    "perturb": ("a saddle is left along its falling direction", "a few epochs"),
    "more_epochs": ("the loss goes on falling as it did at the end", "time in proportion"),
    "stop_earlier": ("the weights of the best validation epoch are kept", "nothing"),
    "regularise": ("dropout or weight decay narrows the gap between training and validation", "slower training"),
    "augment": ("more varied pictures take longer to learn by heart", "slower training"),
    "rescale_input": ("inputs around 0 with a spread of 1 keep the first steps in proportion", "nothing"),
    "fix_head": ("as many outputs as classes, softmax or sigmoid as the loss expects", "training anew"),
    "fix_loss": ("the loss measures what is wanted, and cannot sink below zero", "training anew"),
    "change_activation": ("gradients pass where they were cut off", "training anew"),
    "change_initialisation": ("signals keep their size from layer to layer", "training anew"),
    "unfreeze": ("the layers that must change may change", "memory and time for their gradients"),
    "class_weights": ("mistakes on small classes weigh as much in all as those on large ones", "nothing"),
    "relabel": ("what is contradictory in the labels no longer pulls both ways", "somebody's time"),
    "regroup_split": ("held-out files are independent of the others, and the numbers mean what they say", "nothing"),
    "normalisation_mode": (
        "training and evaluation see the same statistics: faster running averages, larger batches, the right mode",
        "nothing",
    ),
}


def remedy(code: str, edit: Edit | None = None) -> Remedy:
    """Take a way out from the list.

    Args:
        code: The remedy's name, one of the interface's list.
        edit: What to set, where that is known; without it the remedy is advice.

    Returns:
        The remedy with what to expect of it and what it costs.

    Example:
        >>> remedy("stop_earlier", {"epochs": 12}).safety
        'behaviour-changing'
    """
    effect, cost = _EFFECTS[code]
    return Remedy(
        code=code,
        edit=edit or {},
        safety="behaviour-changing" if edit else "advice",
        expected_effect=effect,
        cost=cost,
    )


def change_rate(factor: float | None, rate: float | None = None) -> Remedy:
    """Bring a learning rate to its best value.

    Args:
        factor: Rate in use divided by the best one; None where only the direction "lower" is known.
        rate: The rate in use, where it was recorded.

    Returns:
        `lower_learning_rate` or `raise_learning_rate`, with the new rate or what to multiply by.

    Example:
        >>> dict(change_rate(6.0, 0.1).edit), dict(change_rate(0.1).edit)
        ({'learning_rate': 0.017}, {'learning_rate_factor': 10.0})
    """
    scale = round_factor(1.0 / factor) if factor else 0.1
    lower = scale <= 1.0
    edit: Edit = {"learning_rate": round_factor(rate * scale)} if rate else {"learning_rate_factor": scale}
    return Remedy(
        code="lower_learning_rate" if lower else "raise_learning_rate",
        edit=edit,
        safety="behaviour-changing",
        expected_effect="the loss falls without being thrown back"
        if lower
        else "the loss falls several times as fast, and further",
        cost="nothing" if lower else "a try of a few epochs: too far up it diverges",
    )


def round_factor(value: float) -> float:
    """Round to two figures, as an estimate deserves.

    Args:
        value: Any finite number.

    Returns:
        The number with two significant figures.

    Example:
        >>> round_factor(0.016666), round_factor(123.0)
        (0.017, 120.0)
    """
    return float(f"{value:.2g}")
