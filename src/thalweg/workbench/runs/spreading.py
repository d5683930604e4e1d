"""A run that several ranks share: what it needs, which folder it has, and going on by itself after a restart.

Launchers such as torchrun start all ranks anew, with the same words, when one is gone. What the launch had begun is
then gone on with, from its last checkpoint; the launcher's own store remembers where that is.
"""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from thalweg.accounting.ledger import count
from thalweg.core.codec import dumps
from thalweg.core.dataset import DataSummary
from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.run_folder import RunFolder
from thalweg.modules.sharded import can_shard
from thalweg.monitoring.initial_scale import Rescaling
from thalweg.training.device import Device
from thalweg.training.ranks import Ranks

__all__ = [
    "begun_before",
    "decided_once",
    "make_folder",
    "refuse_other_data",
    "refuse_shards",
    "refuse_thin_parts",
    "told_of_ranks",
]

_PLACE = "run"


def begun_before(ranks: Ranks) -> RunFolder | None:
    """Find the run that this launch had begun before its ranks were started anew.

    Args:
        ranks: Those who were.

    Returns:
        The run to go on with; None where nothing had been begun, or nothing of it is worth keeping.
    """
    place = ranks.remembered(_PLACE)
    if not place:
        return None
    folder = Path(place)
    if (folder / "plan.toml").is_file():
        return RunFolder(folder)
    if ranks.first:
        shutil.rmtree(folder, ignore_errors=True)  # made by this launch, which was cut off before it had a plan
    ranks.agree_on(None)
    return None


def make_folder(out: Path | None, name: str, ranks: Ranks) -> RunFolder:
    """Make the run's folder, once.

    Args:
        out: The wanted folder, or None.
        name: The run's name.
        ranks: With whom the run is shared; rank 0 makes it.

    Returns:
        The folder, the same on all ranks.
    """
    place = ranks.from_first(lambda: str(RunFolder.create(out, name).path))
    ranks.remember(_PLACE, str(Path(place).resolve()))
    return RunFolder(Path(place))


def decided_once(
    plan: TrainingPlan, decide: Callable[[], tuple[TrainingPlan, Rescaling | None]], ranks: Ranks
) -> tuple[TrainingPlan, Rescaling | None]:
    """Let rank 0 decide on the rest of a plan, for all.

    Args:
        plan: As it is.
        decide: Gives the plan with what was decided; and what it divided the initial weights by, which it gives to
            the others when training begins.
        ranks: With whom the run is shared.

    Returns:
        The plan of rank 0; and what weights were divided by, on rank 0.
    """
    if ranks.size == 1:
        return decide()
    scalings: list[Rescaling | None] = []

    def told() -> str:
        decided, scaling = decide()
        scalings.append(scaling)
        return decided.to_toml()

    whole = TrainingPlan.from_toml(ranks.from_first(told), f"the plan for {printable(plan.source)}")
    return whole, next(iter(scalings), None)


def refuse_shards(plan: TrainingPlan, device: Device, ranks: Ranks) -> None:
    """Refuse to cut a network into shards where that cannot be done.

    Args:
        plan: With who acts on the weights.
        device: Where the run computes.
        ranks: Who would hold the shards.

    Raises:
        PlanError: There is one rank, this torch or device cannot, or the run repairs itself.

    Example:
        >>> from thalweg.training.ranks import ALONE
        >>> refuse_shards(TrainingPlan(source="photos"), Device("cpu", None), ALONE)
        Traceback (most recent call last):
        thalweg.core.errors.PlanError: --shard spreads a network's weights over several ranks, and there is one: ...
    """
    if ranks.size == 1:
        raise PlanError(
            "--shard spreads a network's weights over several ranks, and there is one: start it with "
            "torchrun --nproc-per-node 2 -m thalweg ..., or leave --shard out"
        )
    if device.kind not in {"cpu", "cuda"}:
        raise PlanError(f"--shard works on cpu and cuda, not on {device.kind}: leave it out, or add --device cpu")
    if not can_shard():
        raise PlanError(
            f"--shard needs torch 2.9 or newer with torch.distributed.fsdp, and this is torch {torch.__version__}"
        )
    if plan.repair:
        raise PlanError(
            "this run repairs itself, for which every rank needs the whole network: go on without --shard, or train "
            "anew with it"
        )


def told_of_ranks(ranks: Ranks, spec: NetworkSpec, *, shards: bool) -> str:
    """Say how the work is shared.

    Args:
        ranks: Who shares it.
        spec: The network.
        shards: Whether each rank keeps only its rows of the weights; then also what is not done.

    Returns:
        A sentence, or three.
    """
    norms = any(layer.kind == "batch_norm" for layer in spec)
    whole = "; batch normalisation goes by the whole batch" if norms else ""
    told = f"{ranks.size} ranks share each batch: the same samples a step as one would take{whole}."
    if not shards:
        return told
    weights = count(spec).parameters
    return (
        f"{told} Each keeps about {-(-weights // ranks.size):,} of {weights:,} weights. Trials of learning rates, "
        f"repair and the critical step, which move whole weights, are left out; losses, gradients, updates and "
        f"activations are measured."
    )


def refuse_other_data(summary: DataSummary, ranks: Ranks) -> None:
    """See that all ranks read the same data.

    Args:
        summary: What this rank read.
        ranks: With whom the run is shared.

    Raises:
        PlanError: A rank has other files, or files that show other pictures.
    """
    if ranks.size == 1:
        return
    digests = ranks.words(hashlib.sha256(dumps(summary).encode()).hexdigest())
    odd = [rank for rank, each in enumerate(digests) if each != digests[0]]
    if odd:
        raise PlanError(
            f"rank {odd[0]} reads other data from {printable(summary.source)} than rank 0: "
            f"give all machines the same files, or a disk that they share"
        )


def refuse_thin_parts(plan: TrainingPlan, train: int, ranks: Ranks) -> None:
    """Refuse batches of which some rank would have nothing, and what cannot be shared.

    Args:
        plan: With the batch size.
        train: Training samples.
        ranks: With whom each batch is shared.

    Raises:
        PlanError: There are more ranks than samples in a batch, or the head alone is trained.

    Example:
        >>> from thalweg.training.ranks import ALONE
        >>> refuse_thin_parts(TrainingPlan(source="photos"), 1, ALONE)
    """
    if ranks.size == 1:
        return
    if plan.trains_head_only:
        raise PlanError("--head-only trains a head on kept features within seconds: start it without torchrun")
    steps = -(-train // (plan.batch_size or 32))
    least = train // max(1, steps)
    if least < ranks.size:
        raise PlanError(
            f"{ranks.size} ranks share batches of {least} of the {train} training samples of "
            f"{printable(plan.source)}, so some would have nothing to do: take fewer ranks or a larger --batch-size"
        )
