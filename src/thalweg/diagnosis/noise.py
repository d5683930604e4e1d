"""Full batch or mini batches: whether the loss of single steps follows a law or carries the noise of sampling.

Every mini batch is another sample, so its loss scatters around the course at random. Descent on the whole data set is a
deterministic map: it may fall smoothly or, at the edge of stability (Cohen et al. 2021, "Gradient descent on neural
networks typically occurs at the edge of stability"), jump up and down at every step, but what comes next follows from
what came before. So the question is not whether the curve is smooth, but whether a short linear recurrence predicts it.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from thalweg.core.finding import Evidence
from thalweg.core.history import RunHistory
from thalweg.diagnosis.logistic import Logistic
from thalweg.diagnosis.shape import settled

__all__ = ["BatchNoise", "judge", "measure_noise"]

Numbers = npt.NDArray[np.float64]

_WINDOW = 16
_LEAST = 10
_FIRST = 1000
_SWINGS, _LAW, _CERTAIN = 0.8, 0.1, 0.99
"""Steps that nearly always reverse the one before and are foreseen to a tenth: sampling noise cannot be foreseen,
whatever the fitted function says, which has seen few such runs."""
_SURE = 0.9  # an epoch's average hides the noise of its batches: only a clear case is said


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNoise:
    """What the scatter of a loss curve says about the batches.

    Args:
        kind: `full_batch_like`, `mini_batch_like`, or empty where it cannot be told.
        probability: Of full-batch descent.
        level: Scatter from value to value over the loss itself, as a share.
        evidence: The numbers behind it.
    """

    kind: Literal["full_batch_like", "mini_batch_like", ""]
    probability: float
    level: float
    evidence: tuple[Evidence, ...] = ()


def measure_noise(values: Numbers) -> dict[str, float]:
    """Measure how random a curve is.

    In windows of 16 values of l = ln loss, a recurrence l[t] = a l[t-1] + b l[t-2] + c l[t-3] + d is fitted;
    `unforeseen` is the lower quartile over windows of ln(its residual over the spread of the steps), `residual` that of
    ln(residual); `turns` is the share of steps that reverse the one before and `lawful` how far that is from 2/3, which
    independent scatter has; `wobble` is ln of the scatter by second differences in the first ten values, `scatter` the
    same in all.

    Args:
        values: Losses of single steps.

    Returns:
        Name -> number; empty for fewer than ten finite values.

    Example:
        >>> found = measure_noise(2.0 * 0.95 ** np.arange(50))
        >>> found["turns"], round(found["lawful"], 2)
        (0.0, 0.67)
    """
    loss, _ = settled(values[:_FIRST])
    if len(loss) < _LEAST:
        return {}
    logs = np.log(np.maximum(loss, 1e-6))
    size = min(_WINDOW, len(logs))
    unforeseen, residuals = [], []
    for at in range(0, len(logs) - size + 1, max(1, size // 2)):
        part = logs[at : at + size]
        known = np.stack([part[2:-1], part[1:-2], part[:-3], np.ones(size - 3)], axis=1)
        solution = np.linalg.lstsq(known, part[3:], rcond=None)[0]
        rest = part[3:] - known @ solution
        residual = math.sqrt(float(rest @ rest) / max(1, size - 7))
        residuals.append(math.log(residual + 1e-5))
        unforeseen.append(math.log((residual + 1e-5) / (float(np.diff(part).std()) + 3e-5)))
    second = np.abs(np.diff(logs, 2)) / math.sqrt(6.0)
    steps = np.diff(logs)
    steps = steps[np.abs(steps) > 1e-7]  # noqa: PLR2004 - equal within the digits of a log
    turns = float((steps[1:] * steps[:-1] < 0).mean()) if len(steps) > 1 else 0.0
    return {
        "unforeseen": float(np.quantile(unforeseen, 0.25)),
        "residual": float(np.quantile(residuals, 0.25)),
        "turns": turns,
        "lawful": abs(turns - 2 / 3),
        "wobble": math.log(float(np.median(second[:8])) + 1e-6),
        "scatter": math.log(float(np.median(second)) * 1.4826 + 1e-6),
    }


def judge(history: RunHistory) -> BatchNoise:
    """Tell full-batch descent from mini batches.

    Args:
        history: A run; its batch losses are looked at, else its training loss.

    Returns:
        The kind, its probability and the level of the noise; for a curve of epochs only a clear case is said, since an
        average over many batches is smooth, too.

    Example:
        >>> from thalweg.core.signal import Signal
        >>> loss = tuple(float(v) for v in 2.0 * 0.95 ** np.arange(50))
        >>> signal = Signal(name="batch_loss", unit="nats", steps=tuple(range(1, 51)), values=loss)
        >>> judge(RunHistory(signals=(signal,))).kind
        'full_batch_like'
    """
    signal = history.signal("batch_loss") or history.signal("train_loss")
    if signal is None:
        return BatchNoise(kind="", probability=0.5, level=0.0)
    found = measure_noise(np.asarray(signal.values, dtype=np.float64))
    if not found:
        return BatchNoise(kind="", probability=0.5, level=0.0)
    chance = Logistic.named("full_batch").probability(found)
    if found["turns"] > _SWINGS and math.exp(found["unforeseen"]) < _LAW:
        chance = max(chance, _CERTAIN)
    stepwise = signal.name == "batch_loss"
    clear = stepwise or chance < 1 - _SURE or chance > _SURE
    window = f"{'steps' if stepwise else 'epochs'} {signal.steps[0]}-{signal.steps[-1]}"
    evidence = (
        Evidence(signal=signal.name, window=window, observed=round(found["turns"], 3), threshold=0.45,
                 source="share of steps that reverse the one before; independent noise has two thirds"),
        Evidence(signal=signal.name, window=window, observed=round(math.exp(found["unforeseen"]), 3), threshold=0.6,
                 source="part of a step that a linear recurrence of the last three values does not foresee"),
    )  # fmt: skip
    kind: Literal["full_batch_like", "mini_batch_like", ""] = ""
    if clear:
        kind = "full_batch_like" if chance >= 0.5 else "mini_batch_like"  # noqa: PLR2004 - more likely than not
    return BatchNoise(kind=kind, probability=chance, level=math.exp(found["scatter"]), evidence=evidence)
