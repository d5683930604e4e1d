"""Where the numbers of a run come from: weights, buffers, and what was made of them alone; each counted once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from torch import Tensor, nn

from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["Held", "Sources", "shape_of", "tensors_in"]

_MOST = 4  # axes of a sample that a shape has room for
_STATISTICS = ("running_mean", "running_var")


def shape_of(tensor: Tensor) -> Shape:
    """The shape of one sample, when the batch is one.

    Args:
        tensor: A value; where its first axis is not 1 (windows counted into the batch), all axes are the sample's.

    Returns:
        Its shape; of more axes than a shape has, the first ones are taken together.

    Example:
        >>> import torch
        >>> shape_of(torch.empty(1, 8, 7, 8, 7, 96, device="meta"))
        Shape(channels=56, extents=(8, 7, 96))
    """
    sizes = [max(1, size) for size in tensor.shape]
    if len(sizes) > 1 and sizes[0] == 1:
        sizes = sizes[1:]
    front, back = sizes[: max(1, len(sizes) - _MOST + 1)], sizes[max(1, len(sizes) - _MOST + 1) :]
    return Shape(prod(front), tuple(back))


def tensors_in(value: object) -> Iterator[Tensor]:
    """All tensors of nested lists, tuples, dictionaries and slices, in order.

    Args:
        value: Arguments or results.

    Yields:
        Each tensor.
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from tensors_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors_in(each)
    elif isinstance(value, slice):
        yield from tensors_in((value.start, value.stop, value.step))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a step holds and costs besides its own multiplications.

    Args:
        parameters: Weights that no step before it used.
        trained: How many of them want gradients.
        buffers: Running statistics.
        macs: Multiplications that made its tables from weights; None where unknown.
    """

    parameters: int = 0
    trained: int = 0
    buffers: int = 0
    macs: int | None = 0

    def settings(self) -> dict[str, Setting]:
        """As settings of a traced step.

        Returns:
            Parameters, how many of them are trained, and buffers.
        """
        return {"parameters": self.parameters, "trained": self.trained, "buffers": self.buffers}


class Sources:
    """The weights and buffers of a module, and which of them have been used.

    Args:
        module: The module; what it holds under two names is held once.
        stand_ins: Tensors with which it runs instead of its own, by name.
    """

    def __init__(self, module: nn.Module, stand_ins: dict[str, Tensor]) -> None:
        self.costs: dict[str, Held] = {}
        self.taken: set[str] = set()
        self.kept: list[Tensor] = []
        self.origin: dict[int, frozenset[str]] = {}
        self.weights: set[int] = set()
        for name, weight in module.named_parameters():
            self.costs[name] = Held(parameters=weight.numel(), trained=weight.numel() * weight.requires_grad)
            self.weights.add(id(stand_ins.get(name, weight)))
        for name, buffer in module.named_buffers():
            self.costs[name] = Held(buffers=buffer.numel() if name.endswith(_STATISTICS) else 0)
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            self._remember(stand_ins.get(name, tensor), frozenset([name]))
        for part in module.modules():
            for value in vars(part).values():
                for tensor in value if isinstance(value, list | tuple) else [value]:
                    if isinstance(tensor, Tensor):  # a constant that the module keeps as a plain attribute
                        self._remember(tensor, frozenset())

    def _remember(self, tensor: Tensor, keys: frozenset[str]) -> None:
        self.kept.append(tensor)
        self.origin[id(tensor)] = keys

    def knows(self, tensor: Tensor) -> bool:
        """Whether a tensor is a weight, a buffer, a constant, or made of these.

        Args:
            tensor: Any tensor.

        Returns:
            Whether it is.
        """
        return id(tensor) in self.origin

    def is_fresh_weight(self, tensor: Tensor) -> bool:
        """Whether a tensor is a whole weight that no step has used yet.

        Args:
            tensor: Any tensor.

        Returns:
            Whether it is.
        """
        return id(tensor) in self.weights and self.untaken(self.origin[id(tensor)])

    def of(self, module: nn.Module) -> frozenset[str]:
        """Names of what a module and its parts hold.

        Args:
            module: A part of the module.

        Returns:
            The names.
        """
        if next(module.children(), None) is None:
            own = (*module._parameters.values(), *module._buffers.values())  # noqa: SLF001 - thrice as fast as asking
            return self.keys(each for each in own if each is not None)
        return self.keys((*module.parameters(), *module.buffers()))

    def keys(self, tensors: Iterable[Tensor]) -> frozenset[str]:
        """Names of what tensors are made of.

        Args:
            tensors: Any tensors.

        Returns:
            The names.
        """
        return frozenset().union(*(self.origin.get(id(each), frozenset()) for each in tensors))

    def untaken(self, keys: Iterable[str]) -> bool:
        """Whether nothing of this was used before.

        Args:
            keys: Names.

        Returns:
            Whether all are unused.
        """
        return self.taken.isdisjoint(keys)

    def derive(self, reads: Iterable[Tensor], results: Sequence[Tensor], macs: int | None) -> None:
        """Note a step on weights and constants alone.

        Args:
            reads: What it reads.
            results: What it gives.
            macs: Its multiplications; None where unknown.
        """
        keys = self.keys(reads)
        if macs != 0:
            name = f"made {len(self.costs)}"
            self.costs[name] = Held(macs=macs)
            keys |= {name}
        for result in results:
            self._remember(result, keys | self.origin.get(id(result), frozenset()))

    def take(self, keys: Iterable[str]) -> Held:
        """Use what is behind these names; what was used before costs nothing again.

        Args:
            keys: Names.

        Returns:
            What they hold and cost.
        """
        fresh = [self.costs[key] for key in sorted({*keys} - self.taken)]
        self.taken |= {*keys}
        return _together(fresh)

    def unused(self) -> Iterator[tuple[str, Held]]:
        """What no step used.

        Yields:
            Each top-level block and what is left of it.
        """
        left: dict[str, list[Held]] = defaultdict(list)
        for key, held in self.costs.items():
            if key not in self.taken and (held.parameters or held.buffers):
                block, dot, _ = key.partition(".")
                left[block if dot else ""].append(held)
        for block, parts in left.items():
            yield block, _together(parts)


def _together(parts: Sequence[Held]) -> Held:
    macs = [part.macs for part in parts]
    return Held(
        parameters=sum(part.parameters for part in parts),
        trained=sum(part.trained for part in parts),
        buffers=sum(part.buffers for part in parts),
        macs=None if None in macs else sum(each for each in macs if each is not None),
    )
