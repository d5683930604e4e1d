"""Initial weights at which signals explode or die on their way through a network, and their repair before it learns.

A network without normalisation multiplies the size of its signals in every layer. Where each layer makes them twice too
large, eight layers make the outputs 256 times too large; PyTorch's own default, uniform within 1 / sqrt(fan-in), makes
them 2.4 times too small in each layer with a rectifier, so that deep plain networks do not begin to learn at whatever
rate. What is wrong there is no learning rate, and no learning rate mends it: the weights of every layer are divided by
the size of its outputs on one batch, layer after layer, so that all outputs are of size 1 (Mishkin and Matas 2016), and
those of the last layer no larger.

Two signs lead to it. Either the loss at the initial weights is several times what it is after the division; or the
outputs hardly depend on the input, and trials of rates after the division end lower (or no higher, where the outputs do
not depend on it at all). Weights that somebody trained before have heavier tails than any law that initial weights are
drawn from, and are never touched.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn.utils import parametrize

from thalweg.monitoring.rate_search import Chosen
from thalweg.monitoring.snapshot import Snapshot
from thalweg.monitoring.trials import Objective

__all__ = ["Rescaling", "find_rescaling", "is_trained", "is_usual", "rescale", "search_well_scaled"]

WILD = 3.0
"""A loss at the initial weights so many times that after the division means that signals explode."""
FAINT = 3e-3
"""Outputs that vary less than this from sample to sample are those of signals that may die: as PyTorch makes them,
four convolutions with rectifiers give 6e-3, six 6e-4, eight 2e-5."""
GAIN = 0.01
"""Trials after the division must then end lower than the others by this share of their loss: a few dozen updates gain
little, but those of a network whose outputs are the same for all samples gain nothing."""
CONSTANT = 1e-4
"""Outputs that vary less than this are the same for all samples: then trials must only not end higher by that share."""
_HUGE = 1e30  # files of a run hold numbers only
_TRAINED = 5.0  # kurtosis: 1.8 of a uniform law, 3 of a normal one
_MANY, _SEEN = 256, 100_000  # weights that make a kurtosis worth reading, and that are read of a matrix
_SMALL = 5_000_000  # parameters
_TWO_PASSES = 2 / 3  # of an update, of which a forward pass is a third
_Layer = nn.Linear | nn.modules.conv._ConvNd  # noqa: SLF001 - the only common base of all convolutions


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaling:
    """What layers are to be divided by, and what that does to the loss.

    Args:
        sizes: Root mean square of each layer's outputs once the layers before it are divided, of the last one where it
            is more than 1; weights and biases are to be divided by it.
        before: Loss of a batch at the initial weights; 1e30 where it is not finite.
        after: Loss of the same batch once all are divided.
        largest: Largest root mean square of a layer's outputs at the initial weights.
        spread: Of the last layer's outputs at the initial weights, from sample to sample.
        scaled: The same once all are divided.
    """

    sizes: Mapping[str, float]
    before: float
    after: float
    largest: float
    spread: float
    scaled: float

    @property
    def wild(self) -> bool:
        """Whether signals explode; of a loss that may be negative this cannot be told."""
        return self.before > WILD * self.after > 0

    @property
    def faint(self) -> bool:
        """Whether signals die."""
        return self.spread < FAINT

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        if self.wild:
            return (
                f"signals grew to {self.largest:.3g} at the initial weights, where the loss was {self.before:.3g}; "
                f"with outputs of size 1 in {len(self.sizes)} layers it is {self.after:.3g}"
            )
        return (
            f"outputs varied by {self.spread:.1g} from sample to sample at the initial weights, and do so by "
            f"{self.scaled:.1g} with outputs of size 1 in {len(self.sizes)} layers"
        )


def search_well_scaled(
    module: nn.Module, loss: Objective, search: Callable[[], Chosen]
) -> tuple[Chosen, Rescaling | None]:
    """Search for a rate from the initial weights, and from scaled ones where signals explode or die.

    Args:
        module: The network at its initial weights; left scaled where that is returned, as it was otherwise.
        loss: Loss of one batch at the present weights.
        search: Makes trials from the module's present weights, such as `choose_rate`.

    Returns:
        The rate, at the cost of all that was computed; and the scaling where it was needed.
    """
    found = None if is_trained(module) else find_rescaling(module, loss)
    if found is None:
        return search(), None
    if found.wild:
        rescale(module, found.sizes)
    chosen = search()
    chosen = replace(chosen, spent=chosen.spent + _TWO_PASSES)
    if found.wild or not found.faint:
        return chosen, found if found.wild else None
    kept = Snapshot.take(module, None)
    rescale(module, found.sizes)
    second = search()
    lowest, other = (min(trial.loss for trial in each.trials) for each in (second, chosen))
    spent = chosen.spent + second.spent
    if other - lowest > (-GAIN if found.spread < CONSTANT else GAIN) * abs(other):
        return replace(second, spent=spent), found
    kept.put_back(module, None)
    return replace(chosen, spent=spent), None


@torch.no_grad()
def find_rescaling(module: nn.Module, loss: Objective) -> Rescaling | None:
    """Measure the outputs of every layer on a batch, as they are and once the layers before are divided.

    Args:
        module: The network; it is computed twice and left as it was.
        loss: Loss of one batch at the present weights.

    Returns:
        What was measured; None where no layer can be divided, or nothing finite comes of it.

    Example:
        >>> net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
        >>> _ = [nn.init.normal_(layer.weight, std=5.0) for layer in net if isinstance(layer, nn.Linear)]
        >>> x, y = torch.randn(64, 8), torch.arange(64) % 3
        >>> found = find_rescaling(net, lambda: nn.functional.cross_entropy(net(x), y))
        >>> found.wild, found.sizes["2"] > 10
        (True, True)
    """
    kept = Snapshot.take(module, None)
    try:
        with _measured(module) as natural:
            before = float(loss().detach())
        kept.put_back(module, None)  # running means
        with _measured(module, divided_up_to=next(reversed(natural), None)) as divided:
            after = float(loss().detach())
    finally:
        kept.put_back(module, None)
    sizes = {name: size for name, (size, _) in divided.items() if size != 1}
    if not sizes or not math.isfinite(after):
        return None
    return Rescaling(
        sizes=sizes,
        before=before if math.isfinite(before) else _HUGE,
        after=after,
        largest=max(size for size, _ in natural.values()),
        spread=list(natural.values())[-1][1],
        scaled=list(divided.values())[-1][1] / list(divided.values())[-1][0],
    )


@torch.no_grad()
def rescale(module: nn.Module, sizes: Mapping[str, float]) -> None:
    """Divide layers' weights and biases.

    Args:
        module: The network; changed in place.
        sizes: By layer, what to divide by.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 2))
        >>> _ = nn.init.constant_(net[0].weight, 6.0)
        >>> rescale(net, {"0": 3.0}), float(net[0].weight[0, 0].detach())
        (None, 2.0)
    """
    for name, size in sizes.items():
        for weight in module.get_submodule(name).parameters(recurse=False):
            weight.div_(size)


def is_trained(module: nn.Module) -> bool:
    """Whether weights were trained before: most matrices have heavier tails than initial weights are drawn with.

    Args:
        module: The network.

    Returns:
        False also where matrices are too small to tell.

    Example:
        >>> net = nn.Linear(64, 64)
        >>> before = is_trained(net)
        >>> _ = net.weight.data[:2].mul_(20)
        >>> before, is_trained(net)
        (False, True)
    """
    tails = []
    for weight in module.parameters():
        if weight.ndim > 1 and weight.numel() >= _MANY and weight.is_floating_point():
            values = weight.detach().flatten()[:: max(1, weight.numel() // _SEEN)].cpu().double()
            squares = (values - values.mean()).square()
            tails.append(float(squares.square().mean() / squares.mean().square().clamp(min=1e-300)))
    return bool(tails) and sorted(tails)[len(tails) // 2] > _TRAINED


def is_usual(module: nn.Module) -> bool:
    """Whether what usually serves whole runs may be asked: it was measured on small networks with initial weights.

    Args:
        module: The network.

    Returns:
        False for more than five million parameters, and for weights that were trained before.

    Example:
        >>> is_usual(nn.Linear(64, 64))
        True
    """
    return sum(weight.numel() for weight in module.parameters()) <= _SMALL and not is_trained(module)


@contextmanager
def _measured(module: nn.Module, *, divided_up_to: str | None = None) -> Iterator[dict[str, tuple[float, float]]]:
    """Note each layer's size and spread of outputs at its first call; up to the last layer, divide the outputs, too."""
    found: dict[str, tuple[float, float]] = {}
    counts: dict[torch.Tensor, int] = {}
    for layer in module.modules():
        for weight in layer.parameters(recurse=False):
            counts[weight] = counts.get(weight, 0) + 1

    def hooked(name: str) -> Callable[[nn.Module, object, object], object]:
        def hook(_: nn.Module, __: object, output: object) -> object:
            if not isinstance(output, torch.Tensor) or not output.is_floating_point():
                return output
            if name not in found:
                size, spread = _size_and_spread(output.detach().float())
                # a network begins best with small outputs: those of the last layer are not made larger
                found[name] = (max(size, 1.0) if name == divided_up_to else size), spread
            return output if divided_up_to is None else output / found[name][0]

        return hook

    handles = [
        layer.register_forward_hook(hooked(name))
        for name, layer in module.named_modules()
        if isinstance(layer, _Layer) and _divisible(layer, counts)
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _size_and_spread(outputs: torch.Tensor) -> tuple[float, float]:
    """Root mean square, 1 where that is no number to divide by; and how much outputs vary from sample to sample."""
    size = float(outputs.square().mean().sqrt())
    spread = float((outputs - outputs.mean(0)).square().mean().sqrt()) if len(outputs) > 1 else _HUGE  # one tells none
    return (size if 0 < size < math.inf else 1.0), spread


def _divisible(layer: nn.Module, counts: Mapping[torch.Tensor, int]) -> bool:
    """Whether its weights are its own, are trained, and are not zero on purpose."""
    weight = layer.get_parameter("weight") if "weight" in dict(layer.named_parameters(recurse=False)) else None
    if weight is None or parametrize.is_parametrized(layer) or not bool(weight.any()):
        return False
    return all(each.requires_grad and counts[each] == 1 for each in layer.parameters(recurse=False))
