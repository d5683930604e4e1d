"""Sees a training that stands still at the saddle of identical units, which no gradient ever parts.

Units that start equal get equal gradients and stay equal, at any rate, with any optimizer and any batch: what they can
reach together is a saddle of the whole network. Equal rows of a weight matrix are cheap to see, so they are looked for
whenever the loss stands still; only then is the curvature asked whether there is a way down.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from thalweg.core.errors import PlanError
from thalweg.curvature.critical import critical_point
from thalweg.monitoring.horizon import NoiseFloor
from thalweg.monitoring.replay import Replay
from thalweg.monitoring.snapshot import Snapshot

__all__ = ["Standstill", "identical_units", "part", "part_from"]

WINDOW = 40
"""Updates without a fall that make a standstill."""
EQUAL = 1e-4
"""Rows that differ by less than this share of the matrix's size are equal."""
_SIZE = 0.5
"""Spread of what parts them, over the root of a unit's inputs: about that of usual initial weights."""
_MANY = 0.5  # of a layer's units
_BATCHES, _PRODUCTS, _MOST = 4, 30, 3


@dataclass(slots=True)
class Standstill:
    """Follows the loss, and looks closer where it stands still.

    Args:
        floor: Sees the standstill.
        found: Times that a saddle was found; after three it is left alone.
    """

    floor: NoiseFloor = field(default_factory=lambda: NoiseFloor(window=WINDOW))
    found: int = 0

    def leave(self, loss: float, module: torch.nn.Module, replay: Replay, *, seed: int) -> str:
        """Take one more loss in, and part the units where this is a saddle.

        Args:
            loss: Training loss of an update.
            module: The network.
            replay: Recent batches.
            seed: Of the shake.

        Returns:
            Why this is a saddle; empty where it is not, and nothing was done.
        """
        why = self.judged(module, replay) if self.floor.reached(loss) else ""
        if why:
            part(module, seed=seed)
        return why

    def judged(self, module: torch.nn.Module, replay: Replay, initial: Snapshot | None = None) -> str:
        """Ask whether the network is at a saddle of identical units, after some updates that did not part them.

        Args:
            module: The network.
            replay: Recent batches.
            initial: The initial weights, where they are known: a rate that ruins weights may make units alike, too.

        Returns:
            Why it is; empty where it is not.
        """
        name, share = ("", 0.0) if self.found >= _MOST else identical_units(module)
        if not name or (initial is not None and _share_of_copies(initial.tensors[name]) < _MANY):
            return ""
        self.found += 1
        return f"{share:.0%} of the units of {name} are identical, which no gradient parts; ".replace("%", " %") + (
            f"the curvature there says {_judged(module, replay)}"
        )

    def state(self) -> dict[str, object]:
        """Give what a checkpoint must hold.

        Returns:
            Plain data.
        """
        return {"floor": self.floor.state(), "found": self.found}

    def restore(self, state: Mapping[str, object]) -> None:
        """Go back to a state.

        Args:
            state: What `state` gave.
        """
        self.floor.restore(state["floor"])  # type: ignore[arg-type]
        self.found = int(state["found"])  # type: ignore[call-overload]


@torch.no_grad()
def identical_units(module: torch.nn.Module) -> tuple[str, float]:
    """Find a layer most of whose units are copies of each other.

    Args:
        module: The network.

    Returns:
        The name of its weights and the share of units that have a copy; an empty name where there is none.

    Example:
        >>> layer = torch.nn.Linear(3, 4)
        >>> identical_units(layer)[0]
        ''
        >>> _ = torch.nn.init.constant_(layer.weight, 0.1)
        >>> identical_units(layer)
        ('weight', 1.0)
    """
    return next(((name, share) for name, _, share in _copied(module)), ("", 0.0))


@torch.no_grad()
def part(module: torch.nn.Module, *, seed: int) -> None:
    """Make copied units different: every matrix that has them is moved at random, as far as initial weights spread.

    Args:
        module: The network; changed in place.
        seed: Where the random numbers start; torch's own random state is left as it was.

    Example:
        >>> layer = torch.nn.Linear(3, 4)
        >>> _ = torch.nn.init.constant_(layer.weight, 0.1)
        >>> part(layer, seed=1)
        >>> identical_units(layer)[0]
        ''
    """
    random = torch.Generator().manual_seed(seed)
    for _, weight, _ in list(_copied(module)):
        moves = torch.randn(weight.shape, generator=random) * (_SIZE / weight[0].numel() ** 0.5)
        weight.add_(moves.to(weight))


def part_from(initial: Snapshot, module: torch.nn.Module, optimizer: torch.optim.Optimizer, *, seed: int) -> Snapshot:
    """Go back to the initial weights with their copied units parted.

    Args:
        initial: The initial weights.
        module: The network; changed in place.
        optimizer: Its optimizer.
        seed: Where the random numbers start.

    Returns:
        The new initial weights.
    """
    initial.put_back(module, optimizer)
    part(module, seed=seed)
    return Snapshot.take(module, optimizer)


def _copied(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor, float]]:
    for name, weight in module.named_parameters():
        if weight.requires_grad and weight.ndim > 1 and len(weight) > 1 and weight.is_floating_point():
            share = _share_of_copies(weight)
            if share >= _MANY:
                yield name, weight, share


def _share_of_copies(weight: torch.Tensor) -> float:
    """Rows are compared along two fixed directions: equal rows agree along both, others hardly ever."""
    rows = weight.detach().flatten(1).cpu().double()  # not every device has doubles
    size = float(rows.square().mean(dim=1).sqrt().median())
    if not bool(rows.isfinite().all()):
        return 0.0
    ramp = torch.arange(1, rows.shape[1] + 1, dtype=rows.dtype, device=rows.device)
    seen = torch.stack((rows @ torch.sin(ramp), rows @ torch.cos(1.7 * ramp)), dim=1)
    near = EQUAL * size * max(1.0, rows.shape[1] ** 0.5)
    order = seen[:, 0].argsort()
    close = (seen[order].diff(dim=0).abs() <= near).all(dim=1)
    none = torch.zeros(1, dtype=torch.bool, device=rows.device)
    return float((torch.cat((close, none)) | torch.cat((none, close))).double().mean())


def _judged(module: torch.nn.Module, replay: Replay) -> str:
    """What the curvature says, on a few recent batches."""
    weights: Sequence[torch.Tensor] = [each for each in module.parameters() if each.requires_grad]
    numbers = range(min(_BATCHES, len(replay.batches)))
    losses = [lambda which=which: replay.loss_with_graph(which) for which in numbers]
    try:
        with torch.enable_grad():
            return str(critical_point(losses, weights, most_products=_PRODUCTS))
    except (PlanError, RuntimeError):
        return "by its equal units alone"
