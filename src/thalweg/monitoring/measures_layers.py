"""What passes through the layers on one batch: spread, dead and saturated units, and the scale of the input.

Hooks are on the layers for the steps that are sampled only, so that all other steps run as fast as ever.
"""

import weakref

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from thalweg.modules.numbers import fetched
from thalweg.monitoring.record import Record
from thalweg.monitoring.weak_hook import WeakHook

__all__ = ["Passing"]

_RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.Threshold, nn.Hardtanh)
_ENDS: dict[type[nn.Module], tuple[float, float]] = {
    nn.Sigmoid: (0.0, 1.0),
    nn.Hardsigmoid: (0.0, 1.0),
    nn.Tanh: (-1.0, 1.0),
    nn.Softsign: (-1.0, 1.0),
}
_NEAR = 0.05
"""An output is near an end within this share of the whole range."""
_UNSEEN = (nn.Dropout, nn.Flatten, nn.Identity, nn.Unflatten, nn.Dropout2d, nn.Dropout1d, nn.Dropout3d, nn.LogSoftmax)


class Passing:
    """Measures what passes through the layers of one forward pass.

    Args:
        module: The network.
        record: Where the numbers go.
    """

    def __init__(self, module: nn.Module, record: Record) -> None:
        self.module, self.record = module, record
        self.leaves = {
            name or type(leaf).__name__: leaf
            for name, leaf in module.named_modules()
            if not list(leaf.children()) and not isinstance(leaf, _UNSEEN)
        }
        self._handles: list[RemovableHandle] = []
        self._found: dict[str, tuple[str, torch.Tensor, torch.Tensor]] = {}
        self._input: torch.Tensor | None = None
        self._last: tuple[int, str] | None = None

    @property
    def on(self) -> bool:
        """Whether hooks are on the layers."""
        return bool(self._handles)

    def start(self) -> None:
        """Put hooks on the layers."""
        self._found, self._last, self._input = {}, None, None
        self._handles = [
            leaf.register_forward_hook(WeakHook(weakref.ref(self), "_after", name))
            for name, leaf in self.leaves.items()
        ]
        whole = WeakHook(weakref.ref(self), "_after_all")
        self._handles.append(self.module.register_forward_hook(whole, with_kwargs=True))

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def tell(self, step: int) -> None:
        """Note what was found, with one wait for the device.

        Args:
            step: Step counted from 1.
        """
        self.close()
        found, self._found, given, self._input = self._found, {}, self._input, None
        if found:
            numbers = fetched([part for _, spread, share in found.values() for part in (spread, share)]).tolist()
            for place, (name, (kind, _, _)) in enumerate(found.items()):
                spread, share = numbers[2 * place : 2 * place + 2]
                self.record.note("batch_activation_std", step, spread, name)
                if kind and not (kind == "batch_saturated_fraction" and self._last == (1, name)):
                    self.record.note(kind, step, share, name)
        if given is not None and given.numel():
            given = given.detach().float()
            values = torch.stack([given.min(), given.max(), given.mean(), given.std(correction=0)]).tolist()
            for name, value in zip(("min", "max", "mean", "std"), values, strict=True):
                self.record.note(f"batch_input_{name}", step, value)

    def _after(self, name: str, leaf: nn.Module, given: tuple[object, ...], output: object) -> None:
        weighted = "Norm" not in type(leaf).__name__ and any(True for _ in leaf.parameters(recurse=False))
        first = given[0] if given and isinstance(given[0], torch.Tensor) else None
        if self._input is None and weighted and first is not None and first.is_floating_point():
            self._input = first.detach()  # what the network itself makes of its input, by scaling, counts
        if not isinstance(output, torch.Tensor) or not output.is_floating_point():
            return
        if output.dim() == 0 or output.numel() == 0:
            return
        if name in self._found or torch.compiler.is_compiling():  # a layer that is called twice: its first call
            return
        values = output.detach()
        self._last = (0, name) if self._last is None or self._last[0] == 0 else self._last
        kind, share = "", values.new_zeros(())
        ends = next((ends for type_, ends in _ENDS.items() if isinstance(leaf, type_)), None)
        if isinstance(leaf, _RECTIFIERS) and float(getattr(leaf, "min_val", 0.0)) == 0:
            samples, channels = (*values.shape, 1)[:2]  # a vector is one unit
            units = values.reshape(samples, channels, -1)
            kind, share = "batch_dead_fraction", (units.amax(dim=(0, 2)) <= 0).float().mean()
        elif ends is not None:
            margin = _NEAR * (ends[1] - ends[0])
            near = (values < ends[0] + margin) | (values > ends[1] - margin)
            kind, share = "batch_saturated_fraction", near.float().mean()
        spread = values.float().std(correction=0)
        self._found[name] = (kind, spread, share)

    def _after_all(self, _: nn.Module, args: tuple[object, ...], kwargs: dict[str, object], __: object) -> None:
        given = [each for each in (*args, *kwargs.values()) if isinstance(each, torch.Tensor)]
        if self._input is None and given and given[0].is_floating_point():
            self._input = given[0]
        if self._last is not None and self._last[0] == 0:
            self._last = (1, self._last[1])  # the last activation is the output, whose ends are where it belongs
