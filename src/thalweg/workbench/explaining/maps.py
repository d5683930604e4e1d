"""The maps of one sample: class activation, occlusion, saliency, whether they agree, and whether they matter."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from thalweg.core.explanation import (
    Agreement,
    CellCurves,
    ExplainedSample,
    Importance,
    SanityCheck,
    SanityStep,
    agreement_verdict,
    sanity_verdict,
)
from thalweg.data.batching.batches import as_tensor
from thalweg.explanation.activation import forward
from thalweg.explanation.cells import Cells, cells_over
from thalweg.explanation.class_activation import class_activation, enlarged
from thalweg.explanation.faithfulness import area_under, insertion_deletion, random_orders
from thalweg.explanation.likeness import rank_correlation
from thalweg.explanation.occlusion import occlusion
from thalweg.explanation.randomisation import cascade
from thalweg.explanation.saliency import saliency
from thalweg.workbench.answering.model import TrainedModel
from thalweg.workbench.explaining.samples import Chosen

__all__ = ["SampleMaps", "explained", "sanity_checks"]

RANDOM_ORDERS = 4
SALIENCY_COPIES, SANITY_COPIES = 8, 4
SANITY_SEEDS = (0, 1)
_SANITY_CELLS = 16
"""Saliency is ranked over so many cells along an axis: single pixels are noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMaps:
    """One sample with its maps, in numbers and at full size.

    Args:
        sample: The numbers.
        full: By method and class: the map at the sample's own size.
        targets: Indices of the classes explained; the first is the answer, or the one that the user named.
    """

    sample: ExplainedSample
    full: Mapping[tuple[str, str], np.ndarray] = field(default_factory=dict)
    targets: tuple[int, ...] = ()


def explained(
    model: TrainedModel,
    chosen: Chosen,
    layer: str | None,
    *,
    target: int | None = None,
    seed: int = 0,
    curves: bool = True,
    with_saliency: bool = True,
) -> SampleMaps:
    """Explain one sample.

    Args:
        model: The network.
        chosen: The sample.
        layer: Where class activation is made; None where no layer has maps.
        target: The class to explain; by default the answer, and the true class where the answer is wrong.
        seed: Of noise and of random orders.
        curves: Whether to insert and delete.
        with_saliency: Whether to make a saliency map.

    Returns:
        Its maps.
    """
    classes = model.summary.classes
    x = as_tensor(chosen.values[None]).float().to(model.device.kind)
    shares = model.answer([chosen.values])[0]
    answer = int(np.argmax(shares))
    targets = _targets(answer, chosen.truth, target, one_logit=_outputs(model, x) == 1)
    at = torch.tensor(targets, device=x.device)
    many = x.repeat(len(targets), *(1,) * (x.ndim - 1))
    extents = tuple(x.shape[2:])
    cells = cells_over(extents)
    full: dict[tuple[str, str], np.ndarray] = {}
    importances: list[Importance] = []
    agreements: list[Agreement] = []
    hidden = occlusion(model.module, many, at, cells).cpu()
    activation = None if layer is None else class_activation(model.module, layer, many, at).cpu()
    felt = saliency(model.module, many, at, copies=SALIENCY_COPIES, seed=seed).cpu() if with_saliency else None
    orders: dict[str, Tensor] = {}
    for row, number in enumerate(targets):
        name = classes[number]
        if activation is not None:
            large = enlarged(activation[row : row + 1], extents)
            means = cells.means(large)[0]
            full["grad_cam", name] = large[0].numpy()
            importances.append(_importance("grad_cam", name, layer, tuple(activation.shape[1:]), cells, means))
            correlation = rank_correlation(cells.means(large, grown=True)[0].numpy(), hidden[row].numpy())
            agreements.append(Agreement(target=name, correlation=correlation, verdict=agreement_verdict(correlation)))
            orders.setdefault("grad_cam", means.flatten().argsort(descending=True, stable=True))
        full["occlusion", name] = enlarged(hidden[row : row + 1], extents)[0].numpy()
        importances.append(_importance("occlusion", name, None, extents, cells, hidden[row]))
        orders.setdefault("occlusion", hidden[row].flatten().argsort(descending=True, stable=True))
        if felt is not None:
            full["saliency", name] = felt[row].numpy()
            importances.append(_importance("saliency", name, None, extents, cells, cells.means(felt[row : row + 1])[0]))
    sample = ExplainedSample(
        file=chosen.file,
        answer=classes[answer],
        probability=float(shares[answer]),
        truth=None if chosen.truth is None else classes[chosen.truth],
        truth_from=chosen.truth_from,
        importances=tuple(importances),
        agreements=tuple(agreements),
        curves=_curves(model, x[0], targets[0], orders, cells, seed) if curves else (),
    )
    return SampleMaps(sample=sample, full=full, targets=targets)


def _outputs(model: TrainedModel, x: Tensor) -> int:
    with torch.no_grad():
        return int(forward(model.module, x).shape[1])


def _targets(answer: int, truth: int | None, target: int | None, *, one_logit: bool) -> tuple[int, ...]:
    """With one logit, what speaks for a class speaks against the other: its map would be the first's negative."""
    if target is not None:
        return (target,)
    if truth is None or truth == answer or one_logit:
        return (answer,)
    return answer, truth


def _importance(
    method: str, target: str, layer: str | None, extents: tuple[int, ...], cells: Cells, values: Tensor
) -> Importance:
    return Importance(
        method=method,  # type: ignore[arg-type]
        target=target,
        layer=layer,
        layer_extents=extents,
        cells=cells.counts,
        values=tuple(values.flatten().tolist()),
    )


def _curves(
    model: TrainedModel, sample: Tensor, target: int, orders: Mapping[str, Tensor], cells: Cells, seed: int
) -> tuple[CellCurves, ...]:
    stacked = torch.cat([torch.stack(list(orders.values())), random_orders(RANDOM_ORDERS, len(cells), seed)])
    found = insertion_deletion(model.module, sample, target, stacked, cells)
    named = [(order, slice(row, row + 1)) for row, order in enumerate(orders)]
    named.append(("random", slice(len(orders), None)))
    made = []
    for order, rows in named:
        insertion, deletion = found.insertion[rows].mean(0), found.deletion[rows].mean(0)
        made.append(
            CellCurves(
                order=order,  # type: ignore[arg-type]
                target=model.summary.classes[target],
                shares=tuple(found.shares.tolist()),
                insertion=tuple(insertion.tolist()),
                deletion=tuple(deletion.tolist()),
                insertion_area=float(area_under(found.shares, insertion)),
                deletion_area=float(area_under(found.shares, deletion)),
            )
        )
    return tuple(made)


def sanity_checks(
    model: TrainedModel,
    chosen: Sequence[tuple[Chosen, int]],
    layer: str | None,
    groups: Mapping[str, Sequence[str]],
    *,
    methods: Sequence[str] = ("grad_cam", "saliency"),
    seeds: Sequence[int] = SANITY_SEEDS,
) -> tuple[SanityCheck, ...]:
    """Randomise the network from its answer down to its input, and see whether its maps change.

    Args:
        model: The network.
        chosen: Samples, each with the class to explain.
        layer: Where class activation is made.
        groups: Layers that forget together, those nearest to the answer first.
        methods: Which maps.
        seeds: Of the fresh weights.

    Returns:
        A check a method; none where the network has no weights.
    """
    if not groups or not chosen:
        return ()
    x = as_tensor(np.stack([each.values for each, _ in chosen])).float().to(model.device.kind)
    at = torch.tensor([target for _, target in chosen], device=x.device)
    cells = cells_over(tuple(x.shape[2:]), _SANITY_CELLS)
    checks = []
    for method in methods:
        if method == "grad_cam" and layer is None:
            continue

        def maps_of(module: torch.nn.Module, method: str = method) -> Tensor:
            if method == "grad_cam" and layer is not None:
                return class_activation(module, layer, x, at)
            return cells.means(saliency(module, x, at, copies=SANITY_COPIES))

        positions = math.prod(maps_of(model.module).shape[1:])
        steps = cascade(model.module, list(groups.values()), maps_of, seeds=seeds)
        checks.append(
            SanityCheck(
                method=method,  # type: ignore[arg-type]
                layer=layer if method == "grad_cam" else None,
                positions=positions,
                steps=tuple(
                    SanityStep(forgotten=name, rank=step.rank, structure=step.structure, blank=step.blank)
                    for name, step in zip(groups, steps, strict=True)
                ),
                verdict=sanity_verdict(steps[-1].rank),
            )
        )
    return tuple(checks)
