"""Critical points of networks: judged from samples, so every number carries its noise."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from thalweg.core.curvature import CriticalPoint, CriticalVerdict
from thalweg.core.errors import PlanError
from thalweg.core.finding import Evidence
from thalweg.curvature.flat import displaced, inner
from thalweg.curvature.lanczos import Krylov, extreme_eigenvalues
from thalweg.curvature.product import HessianProduct

__all__ = ["GradientGain", "gradient_gain", "judge_sampled"]

WORTH = 0.03
"""Share of the loss that a way down must promise to count as one."""
UNCLEAR = 0.1
"""Share of the loss that the gradient could still promise, within its noise, where samples are too few to tell."""
FLAT = 0.01
"""Share of the loss: where curvature and slope cannot change more than this within reach, it is flat there."""
NOTHING = 1e-9
"""Loss, in nats: what is left where a network has learned everything by heart is no way down to be found."""
KRYLOV = 20
"""Directions in which the quadratic model along the gradient is worked out."""
SURE = 2.0
"""Standard errors that count as certain."""
DEAD = 0.5
"""Share of the weights without any gradient from which on a point without a way down is a plateau."""
DESCENTS, DESCENT_STEPS = 4, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientGain:
    """What following the gradient could take off the loss, by the quadratic model within reach.

    Args:
        value: Noise-corrected gain, in nats; below zero where the gradient is nothing but noise.
        error: Its standard error; 0 without sampling.
        norm: Noise-corrected norm of the gradient.
        raw_norm: Norm of the mean gradient as measured.
        noise_scale: `tr(Sigma) / |G|^2`, in microbatches; infinite where nothing but noise was seen.
        dead: Share of the weights whose gradient is exactly zero on every microbatch.
    """

    value: float
    error: float
    norm: float
    raw_norm: float
    noise_scale: float
    dead: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Escape:
    """Leaving along the lowest direction: curvature there, the best drop of the loss, and its standard error."""

    curvature: float
    drop: float
    error: float
    distance: float


def gradient_gain(product: HessianProduct, reach: float, *, steps: int = KRYLOV) -> GradientGain:
    """Work out how much the gradient could lower the loss, freed from the noise of sampling.

        sum_i g_i^2 / (2 max(|h_i|, |g_i| / reach))

    over the Ritz directions of the Krylov space of the gradient. With m microbatches, g_i^2 is estimated from products
    of different microbatches only, ((sum g)^2 - sum g^2) / (m (m - 1)), which has no bias.

    Args:
        product: The Hessian, with its microbatches.
        reach: Longest step, in the weights' own length.
        steps: Hessian products to spend.

    Returns:
        The gain with its standard error.

    Raises:
        PlanError: The gradient is not finite.
    """
    shares = torch.tensor(product.weights, dtype=torch.float64)
    parts = [part * float(share) * len(shares) for part, share in zip(product.part_gradients(), shares, strict=True)]
    mean = torch.stack(parts).mean(dim=0)
    if not bool(mean.isfinite().all()):
        raise PlanError("the gradient is not finite at this point")
    length, count = math.sqrt(inner(mean, mean)), len(parts)
    dead = float((torch.stack(parts) == 0).all(dim=0).double().mean())
    if length == 0:
        return GradientGain(value=0.0, error=0.0, norm=0.0, raw_norm=0.0, noise_scale=0.0, dead=dead)
    widest = min(steps, product.size)
    krylov = Krylov(product, mean, product.size, widest, 0, start=mean)
    krylov.grow(widest)
    values, vectors, _ = krylov.ritz()
    seen = torch.stack([krylov.basis[: krylov.width] @ part for part in parts]).double().cpu() @ vectors
    average = seen.mean(dim=0)
    bends = torch.maximum(values.abs(), average.abs() / reach).clamp_min(1e-300)
    if count == 1:
        gain = float((average.square() / (2 * bends)).sum())
        return GradientGain(value=gain, error=0.0, norm=length, raw_norm=length, noise_scale=0.0, dead=dead)
    scatter = seen.var(dim=0)
    squares = average.square() - scatter / count
    spread = 2 * scatter.square() / (count * (count - 1)) + 4 * squares.clamp_min(0) * scatter / count
    noise = math.fsum(inner(part - mean, part - mean) for part in parts) / (count - 1)
    corrected = length**2 - noise / count
    return GradientGain(
        value=float((squares / (2 * bends)).sum()),
        error=float((spread / (2 * bends).square()).sum().sqrt()),
        norm=math.sqrt(max(corrected, 0.0)),
        raw_norm=length,
        noise_scale=noise / corrected if corrected > 0 else math.inf,
        dead=dead,
    )


def judge_sampled(product: HessianProduct, *, reach: float, most_products: int, seed: int = 0) -> CriticalPoint:
    """Judge a point of a network's loss.

    Args:
        product: The Hessian, with its microbatches.
        reach: How far around the point to look.
        most_products: Hessian products to spend, on half of the microbatches each.
        seed: Of random directions.

    Returns:
        The verdict.

    Raises:
        PlanError: The loss or its gradient is not finite.
    """
    here = product.loss()
    if not math.isfinite(here):
        raise PlanError(f"the loss is {here} at this point: there is no curvature to speak of")
    one, other = product.half(0), product.half(1)
    gain = gradient_gain(product, reach)
    ends = extreme_eigenvalues(
        one, product.parameters, tolerance=0.02, most_products=max(20, most_products - KRYLOV), seed=seed
    )
    highest = ends.top[0].value
    escape = _escape(other, ends.bottom[0].vector, reach)
    numbers = _Numbers(loss=here, gain=gain, highest=highest, lowest=ends.bottom[0].value, escape=escape, reach=reach)
    bend = max(abs(highest), abs(ends.bottom[0].value)) * reach**2 / 2
    if gain.value - SURE * gain.error > WORTH * numbers.scale and escape.drop < SURE * gain.value:
        return numbers.answer("slope", _sure(gain.value, WORTH * numbers.scale, gain.error), "", "the gradient")
    if numbers.escapes:
        sure = _sure(escape.drop, WORTH * numbers.scale, escape.error)
        return numbers.answer("saddle", min(sure, 0.97), "", "the lowest direction")
    if gain.value + SURE * gain.error > UNCLEAR * numbers.scale:
        return numbers.answer("noisy", 0.8, "", "more samples may")
    if bend < FLAT * numbers.scale:
        return _flat(product, numbers, seed)
    if gain.dead > DEAD:
        return numbers.answer("plateau", 0.9, f"{gain.dead:.0%} of the weights have no gradient at all", "nothing")
    shape = "" if escape.curvature > -FLAT * highest else "some directions bend down, which is normal"
    sure = 1 - 0.5 * min(1.0, (max(gain.value, 0.0) + gain.error) / (UNCLEAR * numbers.scale))
    return numbers.answer("minimum", min(sure, 0.95), shape, "nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbers:
    loss: float
    gain: GradientGain
    highest: float
    lowest: float
    escape: _Escape
    reach: float

    @property
    def scale(self) -> float:
        """What a change of the loss is held against: the loss, and where that is nearly zero, its bend within reach."""
        return max(abs(self.loss), 1e-3 * abs(self.highest) * self.reach**2, NOTHING)

    @property
    def escapes(self) -> bool:
        escape = self.escape
        worth = max(WORTH * self.scale, SURE * escape.error, SURE * max(0.0, self.gain.value))
        return escape.curvature < 0 and escape.drop > worth

    def answer(self, verdict: CriticalVerdict, certainty: float, shape: str, way: str) -> CriticalPoint:
        gain, escape, scale = self.gain, self.escape, self.scale
        error = f" ± {gain.error:.2g}" if gain.error else ""
        drop = f"leaving along the lowest curvature ({escape.curvature:.3g}) {escape.drop:.3g}"
        reason = (
            f"of a loss of {self.loss:.4g}, the gradient could take {gain.value:.3g}{error} within a distance of "
            f"{self.reach:.3g}, {drop}; {_WAYS[verdict].format(way=way)}"
        )
        evidence = (
            Evidence(
                signal="gain along the gradient",
                window="here",
                observed=gain.value,
                threshold=WORTH * scale,
                source=f"{WORTH:.0%} of the loss; noise-corrected",
            ),
            Evidence(
                signal="drop along the lowest curvature",
                window=f"distance {escape.distance:.3g}, the other half of the samples",
                observed=escape.drop,
                threshold=max(WORTH * scale, SURE * max(0.0, gain.value)),
                source="more than the gradient, and 3 % of the loss",
            ),
            Evidence(signal="lowest curvature", window="the other half", observed=escape.curvature, threshold=0.0),
            Evidence(signal="highest curvature", window="one half", observed=self.highest),
            Evidence(signal="noise-corrected gradient norm", window="all samples", observed=gain.norm),
        )
        measured = {
            "loss": self.loss,
            "gradient_norm": gain.norm,
            "gradient_norm_measured": gain.raw_norm,
            "gain": gain.value,
            "gain_error": gain.error,
            "noise_scale": gain.noise_scale,
            "dead_share": gain.dead,
            "highest_curvature": self.highest,
            "lowest_curvature": self.lowest,
            "lowest_curvature_other_half": escape.curvature,
            "escape_drop": escape.drop,
            "escape_distance": escape.distance,
        }
        return CriticalPoint(
            verdict=verdict,
            certainty=max(0.5, min(0.99, certainty)),
            shape=shape,
            reason=reason,
            evidence=evidence,
            reach=self.reach,
            measured=measured,
        )


_WAYS = {
    "slope": "{way} leads down",
    "saddle": "{way} leads down where the gradient does not",
    "minimum": "{way} leads down",
    "plateau": "{way} changes the loss",
    "noisy": "the samples at hand cannot tell; {way}",
}


def _sure(value: float, threshold: float, error: float) -> float:
    """How plainly a number lies beyond its threshold: 0.75 just beyond, 0.98 at three times it or three errors."""
    margin = (value - threshold) / max(2 * threshold, 3 * error, 1e-300)
    return 0.75 + 0.23 * max(0.0, min(1.0, margin))


def _escape(product: HessianProduct, direction: Tensor, reach: float) -> _Escape:
    """Go both ways along a direction, doubling the distance, and keep the deepest place."""
    bend = inner(direction, product(direction).detach())
    before = torch.tensor(product.part_losses(), dtype=torch.float64)
    shares = torch.tensor(product.weights, dtype=torch.float64)
    best = _Escape(curvature=bend, drop=-math.inf, error=0.0, distance=0.0)
    for power in range(9):
        for sign in (1, -1):
            distance = sign * reach / 2**power
            with displaced(product.parameters, distance * direction):
                falls = before - torch.tensor(product.part_losses(), dtype=torch.float64)
            drop = float((falls * shares).sum())
            if math.isfinite(drop) and drop > best.drop:
                error = float(falls.std()) / math.sqrt(len(falls)) if len(falls) > 1 else 0.0
                best = _Escape(curvature=bend, drop=drop, error=error, distance=abs(distance))
    return best if math.isfinite(best.drop) else _Escape(curvature=bend, drop=0.0, error=0.0, distance=0.0)


def _flat(product: HessianProduct, numbers: _Numbers, seed: int) -> CriticalPoint:
    """No slope and no curvature: look whether anything lower, or anything at all, lies within reach."""
    random = torch.Generator().manual_seed(seed)
    lowest, highest = 0.0, 0.0
    for _ in range(DESCENTS):
        step = torch.randn(product.size, generator=random, dtype=torch.float64).to(product.parameters[0])
        start = step * (numbers.reach / math.sqrt(inner(step, step)))
        with displaced(product.parameters, start):
            change = product.loss() - numbers.loss
        highest = max(highest, change if math.isfinite(change) else 0.0)
        lowest = min(lowest, change if math.isfinite(change) else 0.0, _descend(product, numbers, start / 2))
    if -lowest > WORTH * numbers.scale:
        return numbers.answer("saddle", 0.9, "degenerate", "a perturbation")
    if highest <= WORTH * numbers.scale:
        return numbers.answer("plateau", 0.9, "flat", "nothing within reach")
    return numbers.answer("minimum", 0.8, "degenerate", "nothing")


def _descend(product: HessianProduct, numbers: _Numbers, step: Tensor) -> float:
    """Gradient descent from a perturbed place, within twice the reach; the lowest change of the loss."""
    stride, best = numbers.reach / 4, math.inf
    for _ in range(DESCENT_STEPS):
        with displaced(product.parameters, step):
            change, gradient = product.loss() - numbers.loss, product.gradient()
        length = math.sqrt(inner(gradient, gradient))
        if change >= best:
            stride /= 2
        best = min(best, change)
        if not math.isfinite(length) or length == 0 or -best > 2 * WORTH * numbers.scale:
            break
        step = step - gradient * (stride / length)
        far = math.sqrt(inner(step, step)) / (2 * numbers.reach)
        step = step / max(1.0, far)
    return best if math.isfinite(best) else 0.0
