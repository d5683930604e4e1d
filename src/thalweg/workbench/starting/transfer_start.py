"""The beginning of a run from a pretrained network: features of all pictures, a fitted head, and what is kept of it.

Everything that the run starts from goes into its folder, so that `thalweg resume` needs neither the published weights
nor the trunk's features again.
"""

import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from thalweg.core.dataset import DataSummary
from thalweg.core.files import write_atomically
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.run_folder import RunFolder
from thalweg.data.batching.batches import Batches
from thalweg.data.splitting.split import Split
from thalweg.networks.backbones import head_of, preprocessing, stage_count
from thalweg.pretrained.fitting import fit
from thalweg.pretrained.obtaining import Weights
from thalweg.pretrained.tensors import read_tensors
from thalweg.rendering.markup import capitalised
from thalweg.training.checkpoint import load_weights, save_weights
from thalweg.training.device import Device, move
from thalweg.training.features import Scaling, features_of, fit_head, fold_in, scaling_of
from thalweg.training.loss import class_weights
from thalweg.workbench.loading.batching import batches_of
from thalweg.workbench.loading.loading import Loaded
from thalweg.workbench.starting.start import SCALING, Start
from thalweg.workbench.starting.transfer import construct, make_probe
from thalweg.workbench.telling.telling import Listener

__all__ = ["keep_start", "restore_start", "start_from"]

VIEWS_OF = 4_500
"""A head alone is fitted to so many augmented views in all, at most `MOST_VIEWS` of each picture."""
MOST_VIEWS = 4
HEAD_SHARE = 0.2
"""Where a run is in minutes, features for the first head may take this share of them."""
START, FEATURES = "checkpoints/start.safetensors", "checkpoints/features.safetensors"


def start_from(
    plan: TrainingPlan,
    spec: NetworkSpec,
    weights: Weights,
    loaded: Loaded,
    parts: Split,
    summary: DataSummary,
    device: Device,
    listener: Listener,
) -> Start:
    """Build the network, give it its weights, and fit a head to what its trunk says of the pictures.

    Args:
        plan: The plan.
        spec: The network.
        weights: Its weights.
        loaded: The pictures.
        parts: Their split.
        summary: With the files a class.
        device: Where to compute.
        listener: Told how it went.

    Returns:
        The network, ready to be trained.
    """
    if loaded.pictures.pixels.shape[-1] == 1:
        listener.say(f"The pictures are grey and {plan.network} knows colour: it is given each grey value three times.")
    return _begin(
        plan,
        spec,
        weights,
        train=(
            batches_of(loaded, parts.train, plan, training=False, device=device.batches),
            batches_of(loaded, parts.train, plan, training=True, device=device.batches),
        ),
        heldout=batches_of(loaded, parts.validation or parts.test, plan, training=False, device=device.batches),
        device=device,
        balance=class_weights(summary.counts["train"], plan.class_weights),
        listener=listener,
    )


def _begin(
    plan: TrainingPlan,
    spec: NetworkSpec,
    weights: Weights,
    *,
    train: tuple[Batches, Batches],
    heldout: Batches,
    device: Device,
    balance: tuple[float, ...] | None,
    listener: Listener,
) -> Start:
    """Build the network, give it its weights, and fit a head to what its trunk says of the pictures."""
    head = head_of(spec)
    module = construct(spec, plan)
    leave = (f"{head.name}.", "classifier.") if plan.network.startswith("vgg") else (f"{head.name}.",)
    fit(module, weights.tensors, name=plan.network, place=weights.place, leave=leave)
    move(module, device)
    started = time.perf_counter()
    plain, changed = train
    if plan.minutes is not None and not plan.trains_head_only:
        plain, heldout = _affordable(module, head.name, plain, heldout, device, plan)
    views = 1
    if plan.trains_head_only:
        views = max(1, min(MOST_VIEWS, VIEWS_OF // max(1, len(plain))))
    listener.say(f"Computing features of {len(plain) * views + len(heldout):,} pictures ...")
    found = [features_of(module, head.name, plain, device)]
    found += [features_of(module, head.name, changed, device, epoch=view) for view in range(1, views)]
    held = features_of(module, head.name, heldout, device)
    seconds = time.perf_counter() - started
    scaling = scaling_of(torch.stack(found))
    stacked, held = _scaled(torch.stack(found), scaling), _scaled(held[None], scaling)
    labels, truth = torch.from_numpy(plain.labels), torch.from_numpy(heldout.labels)
    learned = fit_head(
        stacked,
        labels,
        int(head.settings["out_features"]),  # type: ignore[arg-type]
        weights=torch.tensor(balance) if balance else None,
        seed=plan.seed,
    )
    weight, bias, strength = learned
    place = module.get_submodule(head.name)
    assert isinstance(place, torch.nn.Linear)  # noqa: S101 - a head is one
    fold_in(place, weight, bias, scaling)
    logits = held[0] @ weight.T + bias
    answers = (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)
    accuracy = float((answers == truth).float().mean())
    looked_at = len(plain) * views + len(heldout)
    note = (
        f"a linear head on the frozen trunk is right on {accuracy:.1%} of {len(truth):,} held-out files, after "
        f"{time.perf_counter() - started:.0f} s (features of {looked_at:,} pictures: {seconds:.0f} s)"
    )
    listener.say(f"{capitalised(note)}.")
    about: dict[str, object] = {
        "name": plan.backbone,
        "weights": {"about": weights.about, "place": weights.place, "sha256": weights.sha256},
        "preprocessing": dict(zip(("scale", "offset"), preprocessing(spec), strict=True)),
        "image_size": plan.image_size,
        "stages": stage_count(spec),
        "frozen": "all" if plan.trains_head_only else plan.frozen_stages,
        "layer_decay": plan.layer_decay,
        "unfreeze": plan.unfreeze,
        "batch_norm": plan.batch_norm,
        "grey": bool(plain.pixels.shape[-1] == 1),
        "features": {"pictures": len(plain), "views": views, "seconds": round(seconds, 1)},
        "head_first": {"accuracy": accuracy, "files": len(truth), "weight_decay": strength},
    }
    if not plan.trains_head_only:
        return Start(module=module, about=about, notes=(note,))
    probe = make_probe(plan, spec, module, stacked, held, scaling, labels, truth)
    return Start(module=module, about=about, notes=(note,), probe=probe)


def _affordable(
    module: torch.nn.Module, head: str, plain: Batches, heldout: Batches, device: Device, plan: TrainingPlan
) -> tuple[Batches, Batches]:
    """Where the plan is in minutes, so many pictures for the first head that a share of them is enough; timed."""
    some = _some(plain, np.arange(min(plain.batch_size, len(plain))))
    features_of(module, head, some, device)  # the first pass sets up what later ones use
    began = time.perf_counter()
    features_of(module, head, some, device)
    most = int(HEAD_SHARE * 60 * (plan.minutes or 0.0) * len(some) / max(1e-6, time.perf_counter() - began))
    if most >= len(plain) + len(heldout):
        return plain, heldout
    random = np.random.default_rng((plan.seed, 5))
    held = _some(heldout, np.sort(random.permutation(len(heldout))[: max(1, most // 4)]))
    kept = random.permutation(len(plain))[: max(2 * plain.batch_size, most - len(held))]
    return _some(plain, np.sort(kept)), held


def _some(batches: Batches, chosen: np.ndarray) -> Batches:
    rows, labels = batches.rows[chosen], batches.labels[chosen]
    return Batches(batches.pixels, rows, labels, batch_size=batches.batch_size, device=batches.device)


def keep_start(folder: RunFolder, start: Start) -> None:
    """Keep what a run starts from, where that is more than weights drawn from the seed, which can be drawn again.

    Args:
        folder: The run.
        start: Its start.
    """
    if start.scaling is not None:
        folder.write_json(SCALING, start.scaling)
    if start.about is None:
        return
    save_weights(start.module, folder.path / START)
    if start.probe is not None:
        write_atomically(folder.path / FEATURES, save(start.probe.tensors()))
    folder.write_json("backbone.json", start.about)


def restore_start(folder: Path, plan: TrainingPlan, spec: NetworkSpec, loaded: Loaded, parts: Split) -> Start:
    """The network of a run as it was at its start.

    Args:
        folder: The run.
        plan: Its plan.
        spec: Its network.
        loaded: The pictures, for their labels.
        parts: Their split.

    Returns:
        It, with the cached features where the head alone is trained.
    """
    module = construct(spec, plan)
    load_weights(module, folder / START)
    if not plan.trains_head_only:
        return Start(module=module)
    kept = read_tensors(folder / FEATURES)
    labels, truth = (
        torch.from_numpy(loaded.labels[list(chosen)]) for chosen in (parts.train, parts.validation or parts.test)
    )
    scaling = Scaling(kept["mean"], kept["deviation"])
    probe = make_probe(plan, spec, module, kept["train"], kept["heldout"], scaling, labels, truth)
    return Start(module=module, probe=probe)


def _scaled(views: torch.Tensor, scaling: Scaling) -> torch.Tensor:
    return (views - scaling.mean) / scaling.deviation
