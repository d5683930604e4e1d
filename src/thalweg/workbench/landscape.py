"""`thalweg landscape`: curvature at a finished run's weights, slices through the loss, ways to another run."""

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from thalweg.core.curvature import Eigenvalue, Spectrum
from thalweg.core.errors import PlanError, RunError, ThalwegError
from thalweg.core.files import page_to_write, printable, write_atomically
from thalweg.core.landscape import LandscapeResult, LossLine, LossPlane, UpdateCurvature
from thalweg.curvature.critical import critical_point
from thalweg.curvature.flat import displaced, flatten
from thalweg.curvature.lanczos import Extremes, extreme_eigenvalues
from thalweg.curvature.objective import Dropping, Normalisation, Objective
from thalweg.curvature.product import HessianProduct
from thalweg.curvature.sharpness import adam_scale, along_update, preconditioned, stable_limit
from thalweg.curvature.slices import bezier, connect, filter_normalised, line_losses, plane_losses
from thalweg.curvature.trace import trace
from thalweg.training.checkpoint import latest_checkpoint, unpack_optimizer
from thalweg.training.loss import objective as objective_of
from thalweg.training.optimizers import make_optimizer
from thalweg.workbench.answering.model import TrainedModel, open_model
from thalweg.workbench.environment import find_source
from thalweg.workbench.loading.batching import batches_of
from thalweg.workbench.loading.loading import load, same_split
from thalweg.workbench.starting.balance import balance_of
from thalweg.workbench.telling.telling import Listener, whoever_is_here

__all__ = ["landscape"]

MOST_IN_BATCH = 64
PRODUCTS, PROBES, WAY_STEPS = 60, 8, 60
"""Hessian products for each end of the spectrum, random vectors for the trace, steps of the search for a bent way."""
RUN, OTHER = "this run", "the other run"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    samples: int
    points: int
    normalisation: Normalisation
    dropout: Dropping
    seed: int


def landscape(
    run: str | os.PathLike[str],
    other: str | os.PathLike[str] | None = None,
    *,
    samples: int = 192,
    points: int = 13,
    batch_norm: Normalisation = "batch",
    dropout: Dropping = "off",
    seed: int = 0,
    html: str | os.PathLike[str] | None = None,
    listener: Listener | None = None,
) -> LandscapeResult:
    """Look at the loss around a finished run, and on the way to another one.

    Args:
        run: The run folder.
        other: A second run of the same network on the same classes, or None.
        samples: Training samples to compute the loss on, without augmentation.
        points: Places along a slice; a plane has their square.
        batch_norm: `batch` normalises with each microbatch's own statistics, as training does; `running` as the
            network answers.
        dropout: `off`, or `frozen`: one draw that stays the same.
        seed: Of the samples and of random directions.
        html: A page to write; nothing is written by default.
        listener: Whoever shows progress.

    Returns:
        Eigenvalues, trace, the kind of point, slices and ways.

    Raises:
        PlanError: An option is out of range, or the runs are of different networks.
        RunError: There is no finished run.

    Example:
        >>> landscape("runs/none")
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    listener = listener or whoever_is_here()
    started = time.perf_counter()
    wanted = _checked(samples, points, batch_norm, dropout, seed)
    page = page_to_write(html)
    model = open_model(Path(run), device="cpu")
    second = None if other is None else open_model(Path(other), device="cpu")
    way = None if second is None else _way(model, second)
    objective = _objective(model, wanted, listener)
    product = objective.product()
    listener.say(f"The loss is computed on {objective.samples} training samples; {objective.said()}.")
    result = _measure(model, objective, product, wanted, listener)
    if way is not None and second is not None:
        result = _between(result, str(second.folder.path), product, way, wanted, listener)
    if page is not None:
        from thalweg.rendering.pages.html import render_html
        from thalweg.rendering.pages.landscape import landscape_report

        write_atomically(page, render_html(landscape_report(result), data=True))
        result = replace(result, page=str(page))
    return replace(result, seconds=time.perf_counter() - started)


def _checked(samples: int, points: int, batch_norm: Normalisation, dropout: Dropping, seed: int) -> _Wanted:
    if not 8 <= samples <= 1_000_000:  # noqa: PLR2004 - fewer tell nothing about noise
        raise PlanError(f"--samples {samples}: 8 to 1,000,000 are possible")
    if not 5 <= points <= 201:  # noqa: PLR2004 - a picture of fewer shows nothing
        raise PlanError(f"--points {points}: 5 to 201 are possible")
    if batch_norm not in {"batch", "running"}:
        raise PlanError(f"--batch-norm {printable(str(batch_norm))}: choose batch or running")
    if dropout not in {"off", "frozen"}:
        raise PlanError(f"--dropout {printable(str(dropout))}: choose off or frozen")
    return _Wanted(
        samples=samples, points=points + 1 - points % 2, normalisation=batch_norm, dropout=dropout, seed=seed
    )


def _objective(model: TrainedModel, wanted: _Wanted, listener: Listener) -> Objective:
    """The run's own training loss on some of its own training samples, at its own batch size, without augmentation."""
    plan = model.plan
    source = find_source(model.folder, plan.source)
    loaded = load(source, image_size=model.size, listener=listener, least=1, wanted=plan.wanted, like=model.shape)
    train = same_split(loaded, model.summary).train
    drawn = np.random.default_rng((wanted.seed, 17)).permutation(len(train))[: wanted.samples]
    chosen = tuple(train[index] for index in sorted(drawn))
    if len(chosen) < 2:  # noqa: PLR2004 - two halves
        raise RunError(f"{printable(model.folder.path)} has {len(chosen)} training samples: curvature needs two")
    size = min(plan.batch_size or 32, MOST_IN_BATCH, -(-len(chosen) // 4))
    shuffled = tuple(np.random.default_rng((wanted.seed, 18)).permutation(chosen).tolist())
    batches = [
        (batch.pixels, batch.labels)
        for batch in batches_of(loaded, shuffled, replace(plan, batch_size=size), training=False).epoch(0)
    ]
    weights = balance_of(plan, model.summary)
    tensor = None if weights is None else torch.tensor(weights)
    smoothing, overlap = plan.label_smoothing or 0.0, plan.overlap_loss or 0.0

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return objective_of(logits, labels, weights=tensor, smoothing=smoothing, overlap=overlap)

    return Objective(
        module=model.module,
        batches=batches,
        loss=loss,
        normalisation=wanted.normalisation,
        dropout=wanted.dropout,
        seed=wanted.seed,
    )


def _measure(
    model: TrainedModel, objective: Objective, product: HessianProduct, wanted: _Wanted, listener: Listener
) -> LandscapeResult:
    weights = product.parameters
    listener.say("Looking for the largest and the smallest curvatures (Lanczos) ...")
    ends = extreme_eigenvalues(product, weights, 2, tolerance=0.01, most_products=PRODUCTS, seed=wanted.seed)
    total = trace(product, weights, probes=PROBES, seed=wanted.seed)
    listener.say("Judging what kind of point it is ...")
    critical = critical_point(product, weights, most_products=PRODUCTS, seed=wanted.seed)
    update, towards, notes = _update(model, product)
    listener.say(f"Slices of {wanted.points} and of {wanted.points} x {wanted.points} places ...")
    lines, planes = _slices(product, ends, towards, wanted, listener)
    return LandscapeResult(
        run=str(model.folder.path),
        other=None,
        samples=objective.samples,
        loss=product.loss(),
        parameters=product.size,
        modes=objective.said(),
        spectrum=Spectrum(
            top=tuple(Eigenvalue(value=pair.value, residual=pair.residual) for pair in ends.top),
            bottom=tuple(Eigenvalue(value=pair.value, residual=pair.residual) for pair in ends.bottom),
            trace=total,
            products=ends.products,
            converged=ends.converged,
        ),
        critical=critical,
        update=update,
        lines=lines,
        planes=planes,
        notes=notes,
    )


def _update(model: TrainedModel, product: HessianProduct) -> tuple[UpdateCurvature | None, Tensor | None, tuple[str, ...]]:  # fmt: skip  # noqa: E501
    """The update that the optimizer's state in the last checkpoint points to, at the run's own rate."""
    plan = model.plan
    try:
        found = latest_checkpoint(model.folder.path / "checkpoints", tidy=False)
    except ThalwegError as error:
        return None, None, (f"the optimizer's own curvature is not measured: {error}",)
    if found is None:
        return None, None, ("the run keeps no checkpoint, so the optimizer's own curvature is not measured",)
    optimizer = make_optimizer(
        model.module,
        plan.optimizer or "adam",
        learning_rate=plan.learning_rate or 1e-3,
        weight_decay=plan.weight_decay or 0.0,
    )
    unpack_optimizer(model.module, optimizer, found[0])
    weights = product.parameters
    try:
        momentum = flatten([_momentum(optimizer.state[weight], weight) for weight in weights])
        scale = adam_scale(optimizer, weights) if (plan.optimizer or "adam") != "sgd" else None
    except ThalwegError as error:
        return None, None, (f"the optimizer's own curvature is not measured: {error}",)
    rate = float(optimizer.param_groups[0]["lr"])
    towards = -rate * (momentum if scale is None else momentum / scale)
    if not bool(towards.isfinite().all()) or not float(towards.norm()) > 0:
        return None, None, ("the optimizer's state points nowhere, so there is no update to look along",)
    along = along_update(product, towards)
    felt = product if scale is None else preconditioned(product, scale)
    top = extreme_eigenvalues(felt, weights, 1, bottom=0, tolerance=0.02, most_products=PRODUCTS).top[0].value
    curvature = UpdateCurvature(
        optimizer=plan.optimizer or "adam",
        learning_rate=rate,
        slope=along.slope,
        sharpness=along.sharpness,
        critical=along.critical if math.isfinite(along.critical) else None,
        preconditioned=top,
        limit=stable_limit(optimizer),
    )
    return curvature, towards, ()


def _momentum(state: dict[str, Tensor], weight: Tensor) -> Tensor:
    found = next((state[name] for name in ("exp_avg", "momentum_buffer") if state.get(name) is not None), None)
    return torch.zeros_like(weight) if found is None else found.reshape(weight.shape)


def _slices(
    product: HessianProduct, ends: Extremes, towards: Tensor | None, wanted: _Wanted, listener: Listener
) -> tuple[tuple[LossLine, ...], tuple[LossPlane, ...]]:
    across = filter_normalised(product.parameters, 2 * wanted.seed + 1)
    up = filter_normalised(product.parameters, 2 * wanted.seed + 2, against=across)
    places = tuple(np.linspace(-1, 1, wanted.points).tolist())
    losses = plane_losses(
        product, across, up, places, places, told=lambda done, total: listener.count("rows of the plane", done, total)
    )
    plane = LossPlane(
        name="two random directions",
        x_name="first direction, in lengths of the filters",
        y_name="second direction, in lengths of the filters",
        x=places,
        y=places,
        losses=losses,
    )
    middle = len(places) // 2
    lines = [
        LossLine(name="a random direction", unit="the length of every filter", positions=places, losses=losses[middle])
    ]
    width, loss = float(across.norm()) / 4, abs(losses[middle][middle])
    for name, pair in (("highest curvature", ends.top[0]), ("lowest curvature", ends.bottom[0])):
        bent = math.sqrt(4 * loss / abs(pair.value)) if pair.value else width  # where the bend makes up the loss twice
        near = tuple(min(width, bent or width) * place for place in places)
        lines.append(
            LossLine(
                name=f"the direction of {name}",
                unit="length in the space of weights",
                positions=near,
                losses=line_losses(product, pair.vector, near),
            )
        )
    if towards is not None:
        steps = tuple(20 * place for place in places)
        lines.append(
            LossLine(
                name="the optimizer's next update",
                unit="updates at the run's rate",
                positions=steps,
                losses=line_losses(product, towards, steps),
            )
        )
    return tuple(lines), (plane,)


def _way(model: TrainedModel, second: TrainedModel) -> Tensor:
    """From one run's weights to the other's, which must be of the same network and the same classes."""
    names = (printable(model.folder.path), printable(second.folder.path))
    if model.summary.classes != second.summary.classes:
        raise PlanError(f"{names[0]} and {names[1]} know different classes: there is no way between them")
    mine, theirs = dict(model.module.named_parameters()), dict(second.module.named_parameters())
    different = [name for name in {**mine, **theirs} if name not in mine or name not in theirs
                 or mine[name].shape != theirs[name].shape]  # fmt: skip
    if different:
        raise PlanError(
            f"{names[0]} and {names[1]} are different networks ({len(different)} weights do not match, first "
            f"{different[0]}): there is no way between them"
        )
    moved = [name for name, weight in mine.items() if weight.requires_grad]
    return flatten([(theirs[name] - mine[name]).detach() for name in moved])


def _between(
    result: LandscapeResult, other: str, product: HessianProduct, way: Tensor, wanted: _Wanted, listener: Listener
) -> LandscapeResult:
    listener.say("Looking for a way of low loss to the other run ...")
    places = tuple(np.linspace(0, 1, wanted.points).tolist())
    straight = line_losses(product, way, places)
    middle = connect(product, way, steps=WAY_STEPS, seed=wanted.seed)
    bent = []
    for place in places:
        with displaced(product.parameters, bezier(place, middle, way)):
            loss = product.loss()
        bent.append(loss if math.isfinite(loss) else math.nan)
    unit = "0 is this run, 1 the other"
    lines = (
        LossLine(name="straight to the other run", unit=unit, positions=places, losses=straight),
        LossLine(name="bent to the other run", unit=unit, positions=places, losses=tuple(bent)),
    )
    notes = result.notes
    if wanted.normalisation == "running":
        notes = (*notes, "on the way between runs the running statistics stay this run's: batch statistics fit better")
    return replace(
        result,
        other=other,
        lines=(*result.lines, *lines),
        barrier=_barrier(places, straight),
        curve_barrier=_barrier(places, bent),
        notes=notes,
    )


def _barrier(places: Sequence[float], losses: Sequence[float]) -> float:
    """The highest place above the straight line between the ends, in nats; infinite where a loss is not finite."""
    above = [loss - (losses[0] * (1 - place) + losses[-1] * place) for place, loss in zip(places, losses, strict=True)]
    return max(above) if all(map(math.isfinite, above)) else math.inf
