"""From a network's description to an ordinary torch module.

Every layer becomes a module of its own under its name, so that `state_dict` has readable keys, hooks can watch any
layer, and a layer can be replaced (`network.dense2 = nn.Linear(...)`). Running the network is a loop over steps worked
out once; a value is let go as soon as nobody needs it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import layer_kind, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.modules.fused import CHAINS, run_chain
from thalweg.modules.initial import initialise
from thalweg.modules.make import make

__all__ = ["BuiltNetwork", "build"]


_LONGEST = max(map(len, CHAINS))


@dataclass(frozen=True, slots=True)
class _Step:
    """Call the modules at `paths` one after the other, keep the result in a slot, and empty those no longer needed.

    Several paths are a chain that may be run as one (`fused`): the first reads the slots, each other the one before.
    """

    paths: tuple[tuple[str, ...], ...]
    reads: tuple[int, ...]
    writes: int
    done: tuple[int, ...]
    fusible: bool


class BuiltNetwork(nn.Module):
    """A network made from a spec; use `build`.

    Args:
        spec: The network's description, kept as `spec`.
        modules: The module of every layer that does not share another's.
    """

    def __init__(self, spec: NetworkSpec, modules: dict[str, nn.Module]) -> None:
        super().__init__()
        self.spec = spec
        self.fuses = False
        """Whether chains of layers are run as one while training: faster, and equal up to rounding."""
        self._steps, self._slots, self._results = _work_out(spec)
        for name, module in modules.items():
            self._place(name, module)

    def _place(self, name: str, module: nn.Module) -> None:
        *blocks, last = name.split(".")
        refusal = f"network {self.spec.name!r}: a layer cannot be called {name!r}"
        parent: nn.Module = self
        try:
            for part in blocks:
                if part not in parent._modules:  # noqa: SLF001 - our own tree
                    parent.add_module(part, nn.Module())
                parent = parent.get_submodule(part)
            taken = last in parent._modules  # noqa: SLF001 - as above
            parent.add_module(last, module)
        except KeyError as error:
            raise SpecError(f"{refusal}: {error.args[0]}") from None
        if taken:
            raise SpecError(f"{refusal}: a block has that name")

    def _at(self, path: tuple[str, ...]) -> nn.Module:
        module: nn.Module = self
        for part in path:
            module = module._modules[part]  # type: ignore[assignment]  # noqa: SLF001 - replaced layers count
        return module

    def forward(self, input: Tensor, *others: Tensor) -> Tensor | tuple[Tensor, ...]:  # noqa: A002 - torch's name
        """Run the network.

        Args:
            input: A batch for the first input of the spec.
            *others: A batch for each further input, in the spec's order.

        Returns:
            The output, or a tuple of them where the spec has several.

        Raises:
            SpecError: The number of inputs is wrong.
        """
        inputs = (input, *others)
        if len(inputs) != len(self.spec.inputs):
            raise SpecError(f"network {self.spec.name!r} takes {len(self.spec.inputs)} inputs, not {len(inputs)}")
        values: list[Tensor | None] = [*inputs, *[None] * (self._slots - len(inputs))]
        fuses = self.fuses and self.training and torch.is_grad_enabled()
        for step in self._steps:
            modules = [self._at(path) for path in step.paths]
            read: list[Tensor] = [values[slot] for slot in step.reads]  # type: ignore[misc]
            result = run_chain(modules, read[0]) if fuses and step.fusible else None
            rest = () if result is not None else modules[1:]
            if result is None:
                result = modules[0](*read)
            del read  # only the slots keep values alive, and only as long as they are read
            for slot in step.done:
                values[slot] = None
            for module in rest:
                result = module(result)
            values[step.writes] = result
            del result
        results = tuple(values[slot] for slot in self._results)
        return results[0] if len(results) == 1 else results  # type: ignore[return-value]


def _work_out(spec: NetworkSpec) -> tuple[tuple[_Step, ...], int, tuple[int, ...]]:
    slots = {name: number for number, name in enumerate([*spec.inputs, *(layer.name for layer in spec.layers)])}
    chains = _chains(spec)
    last_use = {source: chain[-1].name for chain in chains for source in chain[0].inputs}
    steps = []
    for chain in chains:
        first, last = chain[0], chain[-1]
        done = {source for source in first.inputs if last_use[source] == last.name and source not in spec.outputs}
        steps.append(
            _Step(
                paths=tuple(tuple((layer.shared or layer.name).split(".")) for layer in chain),
                reads=tuple(slots[source] for source in first.inputs),
                writes=slots[last.name],
                done=tuple(sorted(slots[source] for source in done)),
                fusible=tuple(layer.kind for layer in chain) in CHAINS,
            )
        )
    return tuple(steps), len(slots), tuple(slots[name] for name in spec.outputs)


def _chains(spec: NetworkSpec) -> list[tuple[LayerSpec, ...]]:
    """The layers in order, those together that may be run as one: nobody else reads what is between them."""
    readers: dict[str, list[LayerSpec]] = {}
    for layer in spec.layers:
        for source in layer.inputs:
            readers.setdefault(source, []).append(layer)
    twice = {layer.shared for layer in spec.layers}
    chains: list[tuple[LayerSpec, ...]] = []
    taken: set[str] = set()
    for layer in spec.layers:
        if layer.name in taken:
            continue
        chain = [layer]
        while (
            len(chain) < _LONGEST and len(readers.get(chain[-1].name, [])) == 1 and chain[-1].name not in spec.outputs
        ):
            chain.append(readers[chain[-1].name][0])
        for kinds in CHAINS:
            part = chain[: len(kinds)]
            alone = all(each.shared is None and each.name not in twice for each in part)
            if tuple(each.kind for each in part) == kinds and alone and all(len(each.inputs) == 1 for each in part):
                chains.append(tuple(part))
                break
        else:
            chains.append((layer,))
        taken.update(each.name for each in chains[-1])
    return chains


def build(spec: NetworkSpec, *, seed: int | None = None, device: str = "cpu") -> BuiltNetwork:
    """Build a network's module.

    Args:
        spec: The network.
        seed: Decides the initial weights, together with the layers' names; None draws one from torch's generator.
        device: Where the weights live; on `meta` they have shapes only and take no memory.

    Returns:
        The module, in training mode, in float32.

    Raises:
        SpecError: The spec is not well formed, a layer is too large to exist, or its name cannot be a module's.
        ShapeError: Two layers do not fit.

    Example:
        >>> from thalweg.core.network_spec import LayerSpec
        >>> from thalweg.core.shape import Shape
        >>> settings = {"out_channels": 3, "kernel_size": 1}
        >>> layer = LayerSpec(name="conv1", kind="conv2d", settings=settings, inputs=("x",))
        >>> spec = NetworkSpec(name="one", inputs={"x": Shape(3, (4, 4))}, layers=(layer,), outputs=("conv1",))
        >>> module = build(spec, seed=0)
        >>> list(module.state_dict()), module(torch.zeros(1, 3, 4, 4)).shape
        (['conv1.weight', 'conv1.bias'], torch.Size([1, 3, 4, 4]))
    """
    shapes = output_shapes(spec)
    modules: dict[str, nn.Module] = {}
    for layer in spec.layers:
        if layer.shared is not None:
            continue
        try:
            modules[layer.name] = _module(layer, tuple(shapes[source] for source in layer.inputs), device)
        except (RuntimeError, OverflowError, MemoryError) as error:  # sizes beyond what memory or torch can hold
            reason = str(error).partition("\n")[0]
            raise SpecError(f"layer {layer.name!r} ({layer.kind}) cannot be allocated: {reason}") from None
        modules[layer.name].requires_grad_(layer.trainable)
    network = BuiltNetwork(spec, modules)
    if device == "meta":
        return network.to("meta")
    initialise(spec, modules, int(torch.randint(2**31, ())) if seed is None else seed)
    return network.to(device)


def _module(layer: LayerSpec, reads: tuple[Shape, ...], device: str) -> nn.Module:
    if not layer_kind(layer.kind).weighted:
        return make(layer, reads)
    with torch.device("meta"):  # neither memory nor torch's random state is touched for throw-away weights
        module = make(layer, reads)
    return module if device == "meta" else module._apply(_on_cpu)  # type: ignore[no-untyped-call]  # noqa: SLF001 - as `to_empty`


def _on_cpu(weight: Tensor) -> Tensor:
    """Room for a weight on the CPU; `to_empty` would load sympy for it, a third of the time until the first step."""
    return torch.empty(weight.shape, dtype=weight.dtype)
