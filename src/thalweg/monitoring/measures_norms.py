"""Sizes of gradients, weights and updates a layer, and how two gradients in a row agree.

From the gradients g1, g2 of two batches in a row, each the mean over B samples, at weights that hardly differ:

    |G|^2      is estimated by  g1 . g2
    tr(Sigma)  is estimated by  B ((|g1|^2 + |g2|^2) / 2 - g1 . g2)
    noise scale = tr(Sigma) / |G|^2, in samples

(McCandlish et al. 2018, with two batches in place of two batch sizes). Both are noisy, so their sums over recent pairs
are divided, not their quotients averaged. Where the learning rate is too high, gradients in a row point against each
other and no noise scale comes out; the alignment itself then tells.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import torch

from thalweg.modules.numbers import as_it_lies, fetched
from thalweg.modules.sharded import local
from thalweg.monitoring.record import Record

__all__ = ["Layers", "Norms"]

PAIRS = 20
"""Pairs of gradients that the noise scale is a mean over."""


class Layers:
    """The trained weights of a network by the layer that holds them; shared ones belong to the first.

    Loops unfreeze layers and give their optimizer new groups while they train, so this is read anew when it changes.

    Args:
        module: The network.
        optimizer: What updates it.
    """

    def __init__(self, module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._module, self._optimizer = module, optimizer
        self._known = self._signs()
        self._read()

    def refresh(self) -> bool:
        """Read the weights anew where layers were frozen or unfrozen, or the optimizer holds others.

        Returns:
            Whether that was so.
        """
        signs = self._signs()
        if signs == self._known:
            return False
        self._known = signs
        self._read()
        return True

    def _signs(self) -> list[tuple[int, bool]]:
        held = (weight for group in self._optimizer.param_groups for weight in group["params"])
        return [
            (id(weight), weight.requires_grad) for weights in (self._module.parameters(), held) for weight in weights
        ]

    def _read(self) -> None:
        module, optimizer = self._module, self._optimizer
        seen: set[int] = set()
        self.optimised = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
        self.names: list[str] = []
        self.weights: list[torch.Tensor] = []
        self.owners: list[int] = []
        for name, layer in module.named_modules():
            own = [weight for weight in layer.parameters(recurse=False) if id(weight) not in seen]
            own = [weight for weight in own if weight.requires_grad or id(weight) in self.optimised]
            if not own:
                continue
            self.names.append(name or type(layer).__name__)
            for weight in own:
                seen.add(id(weight))
                self.weights.append(weight)
                self.owners.append(len(self.names) - 1)
        for group in optimizer.param_groups:  # weights outside the model that it trains as well
            for weight in group["params"]:
                if id(weight) not in seen:
                    seen.add(id(weight))
                    self.weights.append(weight)
                    self.owners.append(len(self.names))
        if len(self.names) in self.owners:
            self.names.append("outside the model")
        pairs = list(zip(self.owners, self.weights, strict=True))
        held = {self.names[owner] for owner, weight in pairs if id(weight) in self.optimised}
        self.left_out = set(self.names) - held

    def gradients(self) -> list[torch.Tensor | None]:
        """The gradient of every weight, None where there is none; of shards, the rows of this process."""
        found = (each.grad for each in self.weights)
        return [None if each is None else each.to_dense() if each.is_sparse else local(each) for each in found]

    def values(self) -> list[torch.Tensor]:
        """Every weight; where they lie in shards, the rows of this process."""
        return [local(each.detach()) for each in self.weights]

    def by_layer(self, norms: list[float]) -> list[float]:
        """Gather norms of weights into those of layers.

        Args:
            norms: One a weight.

        Returns:
            One a layer: the root of the sum of squares.
        """
        sums = [0.0] * len(self.names)
        for owner, norm in zip(self.owners, norms, strict=True):
            sums[owner] += norm * norm
        return [math.sqrt(each) for each in sums]


class Norms:
    """Measures an update from both sides.

    Args:
        layers: The trained weights.
        record: Where the numbers go.
        total: Adds numbers up over the processes that hold the rows of each weight; None where weights are whole.
    """

    def __init__(
        self, layers: Layers, record: Record, total: Callable[[Sequence[float]], list[float]] | None = None
    ) -> None:
        self.layers, self.record, self._total = layers, record, total
        self._earlier: list[torch.Tensor | None] | None = None
        self._earlier_square = 0.0
        self._before: list[torch.Tensor] | None = None
        self._gradients: list[torch.Tensor | None] = []
        self._pairs: deque[tuple[float, float]] = deque(maxlen=PAIRS)

    def gradient(self, step: int, *, size: int, keep: bool, scale: float = 1.0) -> bool:
        """Measure the gradients that are there.

        Args:
            step: Step counted from 1.
            size: Samples that they are a mean over.
            keep: Whether to hold them for comparison with the next step's.
            scale: What they are multiplied with (mixed precision whose scale the optimizer takes out itself).

        Returns:
            Whether all of them are finite.
        """
        if self.layers.refresh():
            self._earlier = None  # of other weights
        gradients = self.layers.gradients()
        norms = [norm / scale for norm in self._norms(gradients)]
        layers = self.layers.by_layer(norms)
        whole = math.sqrt(sum(norm * norm for norm in layers))
        self.record.note("batch_gradient_norm", step, whole)
        for name, norm in zip(self.layers.names, layers, strict=True):
            self.record.note("batch_gradient_norm", step, norm, name)
            self.record.note("batch_frozen", step, float(norm == 0 or name in self.layers.left_out), name)
        if self._earlier is not None and math.isfinite(whole):
            product = self._product(self._earlier, gradients) / scale
            self._compare(step, product, self._earlier_square, whole * whole, size)
        self._earlier = None
        if keep and math.isfinite(whole):
            self._earlier = [None if each is None else each.detach() / scale for each in gradients]
            self._earlier_square = whole * whole
        return math.isfinite(whole)

    @property
    def waits(self) -> bool:
        """Whether a gradient is held that the next one shall be compared with."""
        return self._earlier is not None

    def state(self) -> dict[str, object]:
        """Give what a checkpoint must hold for measurements to go on as if nothing had been.

        Returns:
            Plain data; tensors where a gradient waits for the next one.
        """
        return {
            "pairs": [list(pair) for pair in self._pairs],
            "earlier": None if self._earlier is None or self._total else list(self._earlier),
            "earlier_square": self._earlier_square,
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Go back to a state.

        Args:
            state: What `state` gave.
        """
        pairs, earlier = state.get("pairs"), state.get("earlier")
        if isinstance(pairs, list):
            self._pairs = deque(((float(noise), float(signal)) for noise, signal in pairs), maxlen=PAIRS)
        if isinstance(earlier, list) and not self._total:
            self._earlier = [  # in the memory order of the weights, or the same sum would round differently
                None if each is None else torch.empty_like(weight).copy_(each)
                for each, weight in zip(earlier, self.layers.weights, strict=True)
            ]
        self._earlier_square = float(state.get("earlier_square") or 0.0)  # type: ignore[arg-type]

    def _compare(self, step: int, product: float, first: float, second: float, size: int) -> None:
        if first <= 0 or second <= 0:
            return
        self.record.note("batch_alignment", step, product / math.sqrt(first * second))
        self._pairs.append((size * ((first + second) / 2 - product), product))
        noise, signal = (sum(column) for column in zip(*self._pairs, strict=True))
        if len(self._pairs) >= 3 and signal > 0:  # noqa: PLR2004 - one pair says next to nothing
            self.record.note("batch_noise_scale", step, max(0.0, noise) / signal)

    def before(self) -> list[torch.Tensor]:
        """Hold the weights before an update.

        Returns:
            Copies of them.
        """
        self._gradients = self.layers.gradients()
        self._before = [each.clone() for each in self.layers.values()]
        return self._before

    def update(self, step: int, *, scale: float = 1.0) -> list[torch.Tensor]:
        """Measure an update that has happened.

        Args:
            step: Step counted from 1.
            scale: What the gradients are multiplied with.

        Returns:
            The change of every weight.

        Raises:
            RuntimeError: Nobody held the weights before.
        """
        if self._before is None:
            raise RuntimeError("an update is measured between before() and update()")
        before, self._before = self._before, None
        moved = torch._foreach_sub(self.layers.values(), before)  # noqa: SLF001
        sizes, weights = self._norms(list(moved)), self._norms(list(before))
        for name, size, weight in zip(
            self.layers.names, self.layers.by_layer(sizes), self.layers.by_layer(weights), strict=True
        ):
            if weight > 0:
                self.record.note("batch_update_ratio", step, size / weight, name)
            self.record.note("batch_weight_norm", step, weight, name)
        product = self._product(self._gradients, list(moved)) / scale
        self._gradients = []
        self.record.note("batch_predicted_decrease", step, -product)
        return list(moved)

    def _norms(self, tensors: list[torch.Tensor | None]) -> list[float]:
        norms = _norms(tensors)
        if self._total is None:
            return norms
        return [math.sqrt(square) for square in self._total([norm * norm for norm in norms])]

    def _product(self, ones: list[torch.Tensor | None], others: list[torch.Tensor | None]) -> float:
        product = _product(ones, others)
        return product if self._total is None else self._total([product])[0]


def _norms(tensors: list[torch.Tensor | None]) -> list[float]:
    """Norms of many tensors; 0 where there is none."""
    there = [each.detach() for each in tensors if each is not None]
    if not there:
        return [0.0] * len(tensors)
    values = iter(fetched(torch._foreach_norm(there)).tolist())  # noqa: SLF001
    return [0.0 if each is None else next(values) for each in tensors]


def _product(ones: list[torch.Tensor | None], others: list[torch.Tensor | None]) -> float:
    parts = [
        torch.dot(*(_real(each.detach()).flatten().float() for each in _in_memory_order(one, other)))
        for one, other in zip(ones, others, strict=True)
        if one is not None and other is not None
    ]
    return float(fetched(parts).sum())


def _real(values: torch.Tensor) -> torch.Tensor:
    """Complex numbers as two real ones each: so their product is that of the space that gradients live in."""
    return torch.view_as_real(values.resolve_conj()) if values.is_complex() else values


def _in_memory_order(one: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both with their axes as they lie in memory, where they lie alike: so they are flattened without a copy."""
    if one.stride() != other.stride():
        return one, other
    return as_it_lies(one), as_it_lies(other)
