"""One run of a module on batches of one that have sizes but no values, written down step by step.

Modules that one of our layers describes become that layer; inside all others, every call of a torch function is seen.
A tensor made from weights alone (a standardised kernel, a position table) is no step of its own: what it holds and
costs goes to the step that uses it first. A module whose result came about unseen becomes one opaque step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.overrides import TorchFunctionMode

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import layer_kind, output_shape
from thalweg.core.network_spec import LayerSpec, Setting
from thalweg.core.shape import Shape
from thalweg.modules.products import LOCAL, SAME, multiplications
from thalweg.modules.reading import READERS, read_module
from thalweg.modules.sources import Sources, shape_of, tensors_in
from thalweg.modules.steps import (
    Call,
    Reading,
    function_name,
    read_call,
    read_pieces,
    read_weighted,
    with_whole_numbers,
)

__all__ = ["Following"]

_LONGEST = 80
_CHANNELS = ("in_channels", "in_features", "num_features", "num_channels")  # what torch's layers expect to read


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    name: str
    shape: Shape
    batched: bool
    tensor: Tensor  # kept, so that its identity is not given to another


class Following(TorchFunctionMode):
    """Writes layers down while the module runs inside it.

    Args:
        module: The module.
        sources: Its weights and buffers.
        inputs: The batches it is called with, by name.
    """

    def __init__(self, module: nn.Module, sources: Sources, inputs: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.sources = sources
        self.layers: list[LayerSpec] = []
        self.values: dict[int, _Value] = {}
        self.modules = {id(each): path for path, each in module.named_modules()}
        self.parents = {path.rpartition(".")[0] for path in self.modules.values()}
        self.taken = {*inputs}
        self.whole: dict[str, str] = {}  # layers that a module was read as, by the module's path
        self.paths: list[str] = []
        self.leaf: tuple[nn.Module, Reading, Shape] | None = None
        for name, batch in inputs.items():
            self._keep(batch, name)

    def _keep(self, tensor: Tensor, name: str) -> None:
        shape = shape_of(tensor)
        batched = tensor.ndim > 1 and tensor.shape[0] == 1 and shape.as_tuple() == tuple(tensor.shape[1:])
        self.values[id(tensor)] = _Value(name=name, shape=shape, batched=batched, tensor=tensor)

    def name_of(self, tensor: Tensor) -> str | None:
        """The layer or input that a tensor is the value of.

        Args:
            tensor: Any tensor.

        Returns:
            The name; None for a tensor that is no value of the network.
        """
        value = self.values.get(id(tensor))
        return value.name if value else None

    # Modules.

    def before(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Called before a module runs.

        Args:
            module: The module.
            args: What it reads.
            kwargs: What it reads by name.
        """
        if self.leaf is not None:
            return
        with DisableTorchFunction():  # asking a tensor for its shape is a call too
            self._begin(module, args, kwargs)

    def _begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if type(module) in READERS and not kwargs and all(isinstance(each, Tensor) for each in args):
            fitting = self._fitting(module, args)
            if fitting is not None:
                self.leaf = (module, *fitting)
                return
        self.paths.append(self.modules.get(id(module), ""))

    def stand_in(self, module: nn.Module, forward: Callable[..., object], *args: Tensor, **kwargs: object) -> object:
        """Called instead of a layer's forward pass: its result has the size that its kind says, and is not computed.

        Args:
            module: The layer.
            forward: Its own forward pass, for layers in a form that no kind of ours describes.
            *args: What it reads.
            **kwargs: What it reads by name.

        Returns:
            A batch of one without values.
        """
        if self.leaf is None or self.leaf[0] is not module:
            return forward(*args, **kwargs)
        if getattr(module, "inplace", False):
            return args[0]
        with DisableTorchFunction():
            return torch.empty((1, *self.leaf[2].as_tuple()), device="meta")

    def after(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: object) -> None:
        """Called after a module ran.

        Args:
            module: The module.
            args: What it read.
            kwargs: What it read by name.
            result: What it gave.
        """
        with DisableTorchFunction():
            self._end(module, args, kwargs, result)

    def _end(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: object) -> None:
        if self.leaf is not None:
            leaf, reading, _ = self.leaf
            if module is leaf:
                self.leaf = None
                path = self.modules[id(module)]
                self.sources.take(self.sources.of(module))
                shared = self.whole.get(path) if layer_kind(reading.kind).weighted else None
                self.whole.setdefault(path, self._write(reading, path, next(tensors_in(result)), shared))
            return
        path = self.paths.pop()
        unseen = [each for each in tensors_in(result) if id(each) not in self.values and not self.sources.knows(each)]
        reads = [each for each in tensors_in((args, kwargs)) if id(each) in self.values]
        if unseen and reads:
            what = type(module).__name__
            cost = self.sources.take(self.sources.of(module))
            self._write_step("opaque", path or what, what, reads, unseen, {**cost.settings(), "macs": None})

    def _fitting(self, module: nn.Module, args: tuple[Any, ...]) -> tuple[Reading, Shape] | None:
        reads = [self.values.get(id(each)) for each in args]
        if not all(value is not None and value.batched for value in reads):
            return None
        shapes = tuple(value.shape for value in reads if value)
        if any(getattr(module, each, shapes[0].channels) != shapes[0].channels for each in _CHANNELS):
            return None  # its own forward pass will say so
        keys = self.sources.of(module)
        path = self.modules[id(module)]
        if path not in self.whole and not self.sources.untaken(keys):
            return None  # weights tied to those of another layer: its functions are followed instead
        try:
            kind, settings = read_module(module)
            layer = LayerSpec(name="it", kind=kind, settings=settings, inputs=("x",) * len(shapes))
            output = output_shape(layer, shapes)
        except SpecError:
            return None
        if isinstance(module, nn.LayerNorm) and type(module) is nn.LayerNorm:  # over the last axes, whatever they are
            over = tuple(module.normalized_shape)
            if over != shapes[0].as_tuple():
                return None
        return Reading(kind=kind, settings=settings, inputs=args), output

    # Functions.

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Run a function as it is, and write it down.

        Args:
            func: The function.
            types: Classes of the tensors; not needed.
            args: Its arguments.
            kwargs: Its arguments by name.

        Returns:
            Its result.
        """
        del types
        kwargs, name = kwargs or {}, function_name(func)
        result = func(*with_whole_numbers(name, args), **kwargs)
        if self.leaf is None:
            self._called(name, args, kwargs, result)
        return result

    def _called(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: object) -> None:
        results = list(tensors_in(result))
        if name == "setitem":
            results = [args[0]]
        if not results:
            return  # sizes, types, devices
        reads = list(tensors_in((args, kwargs)))
        known = [each for each in reads if id(each) in self.values]
        macs = multiplications(name, args, kwargs, results[0])
        if not known:
            self.sources.derive(reads, results, macs)
            return
        if name in SAME and len(results) == 1 and results[0].shape == reads[0].shape and reads[0] is known[0]:
            self._keep(results[0], self.values[id(reads[0])].name)
            return
        if any(each is result for each in known for result in results) and len(results) > 1:
            results = [each for each in results if id(each) not in self.values]
        readings = self._readings(name, args, kwargs, results, reads)
        if readings:
            self.sources.take(self.sources.keys(reads))
            for reading, each in zip(readings, results, strict=True):
                self._write(reading, self._called_name(name), each, None)
            return
        lost = [each for each in reads if id(each) not in self.values and not self.sources.knows(each)]
        cost = self.sources.take(self.sources.keys(reads))
        total = None if macs is None or cost.macs is None or lost else macs + cost.macs
        settings: dict[str, Setting] = {**cost.settings(), "macs": total}
        kind = "opaque" if total is None else "product" if total else "step"
        if kind == "step" and name in LOCAL:
            settings["local"] = True
        self._write_step(kind, self._called_name(name), name, known, results, settings)

    def _readings(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], results: Sequence[Tensor], reads: list[Tensor]
    ) -> list[Reading]:
        """The layers that give these results, one each; none where a result is no layer's."""
        call = Call(name=name, args=args, kwargs=kwargs, result=results[0])
        values = [self.values[id(each)] for each in reads if id(each) in self.values]
        if not all(value.batched for value in values):
            return []
        others = [each for each in reads if id(each) not in self.values]
        if not others:
            found = read_pieces(call, results) if len(results) > 1 else [read_call(call)]
        elif all(self.sources.is_fresh_weight(each) for each in others) and len(values) == len(results) == 1:
            found = [read_weighted(call, len(others))]
        else:
            return []
        fitting = [
            each for each, result in zip(found, results, strict=False) if each is not None and self._fits(each, result)
        ]
        return fitting if len(fitting) == len(results) else []

    def _fits(self, reading: Reading, result: Tensor) -> bool:
        if not all(id(each) in self.values for each in reading.inputs):
            return False
        shapes = tuple(self.values[id(each)].shape for each in reading.inputs)
        layer = LayerSpec(name="it", kind=reading.kind, settings=reading.settings, inputs=("x",) * len(shapes))
        try:
            return output_shape(layer, shapes).as_tuple() == tuple(result.shape[1:])
        except SpecError:
            return False

    # Layers.

    def _called_name(self, function: str) -> str:
        path = self.paths[-1] if self.paths else ""
        simple = path and path not in self.taken and path not in self.parents
        return path if simple else f"{path}.{function}" if path else function

    def _fresh(self, name: str) -> str:
        found, number = name, 1
        while found in self.taken:
            number += 1
            found = f"{name}_{number}"
        self.taken.add(found)
        return found

    def _write(self, reading: Reading, name: str, result: Tensor, shared: str | None) -> str:
        inputs = tuple(self.values[id(each)].name for each in reading.inputs)
        fresh = self._fresh(name)
        forms = layer_kind(reading.kind).settings
        said = {key: value for key, value in reading.settings.items() if value != forms[key].default}
        block = tuple(name.split(".")[:-1])
        layer = LayerSpec(name=fresh, kind=reading.kind, settings=said, inputs=inputs, shared=shared, block=block)
        self.layers.append(layer)
        self._keep(result, fresh)
        return fresh

    def _write_step(
        self,
        kind: str,
        name: str,
        what: str,
        reads: Sequence[Tensor],
        results: Sequence[Tensor],
        settings: Mapping[str, Setting],
    ) -> None:
        inputs = tuple(dict.fromkeys(self.values[id(each)].name for each in reads))
        forms = layer_kind(kind).settings
        said = {key: value for key, value in settings.items() if key in forms and value != forms[key].default}
        block = tuple(name.split(".")[:-1])
        trainable = not settings.get("parameters") or settings.get("trained") != 0
        for result in results:  # several results (of a split, for example) are several steps; the first has the cost
            fresh = self._fresh(name)
            shape: dict[str, Setting] = {"what": what[:_LONGEST], "output_shape": shape_of(result).as_tuple()}
            self.layers.append(
                LayerSpec(
                    name=fresh, kind=kind, settings={**shape, **said}, inputs=inputs, block=block, trainable=trainable
                )
            )
            self._keep(result, fresh)
            trainable = True
            if kind == "product":
                kind = "step"
            said = {key: value for key, value in said.items() if key == "local"}

    def rest(self) -> None:
        """Write down, for each block, the weights that this run did not use, so that they are counted too."""
        first = next(iter(self.values.values())).tensor
        for block, cost in self.sources.unused():
            settings = cost.settings()
            if cost.parameters:
                self._write_step("step", f"{block}.unused" if block else "unused", "unused", [first], [first], settings)
