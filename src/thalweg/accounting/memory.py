"""Memory: what inference holds at once, and what one training step needs, by following a network there and back.

Training keeps whatever the backward pass will read. Which values those are depends on the layer: a convolution keeps
what it read, a ReLU what it gave (the same value that the next convolution reads, so it is kept once), max pooling also
the places of its maxima (8 bytes each), batch normalisation what it read, addition nothing. Going back, gradients come
and kept values go; the most that exists at one time, with weights, their gradients and the optimizer's state, is the
peak.

The optimizer's step comes after the way back, when only weights, gradients and its state are there; torch's Adam makes
two copies of the weight it is at, and for a network with one huge dense layer that is the peak.

Everything is float32. Temporary workspaces of convolution kernels are the processor's affair and are not in it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import cast

from thalweg.accounting.ledger import count
from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import complete_settings, output_shapes
from thalweg.core.layer_kinds.settings import per_axis
from thalweg.core.layer_kinds.windows import windows
from thalweg.core.network_spec import LayerSpec, NetworkSpec, Setting
from thalweg.core.shape import Shape

__all__ = ["OPTIMIZER_STATES", "TrainingMemory", "inference_bytes", "training_memory"]

_FLOAT_BYTES = 4
_INDEX_BYTES = 8

# Numbers an optimizer keeps for each weight: momentum keeps a velocity, Adam two running moments.
OPTIMIZER_STATES: Mapping[str, int] = MappingProxyType({"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2})

# Copies of one weight that a step of torch's optimizer makes: Adam takes a root, then divides it.
_STEP_COPIES: Mapping[str, int] = MappingProxyType({"sgd": 0, "momentum": 0, "adam": 2, "adamw": 2})

_VIEWS = {"flatten", "identity", "subsample", "crop"}  # their output lies in the memory of what they read
_PARTS = {"subsample", "crop"}  # going back, the gradient of the whole is made, with zeros
_KEEP_INPUT = {
    *(
        "leaky_relu",
        "relu6",
        "gelu",
        "silu",
        "hardswish",
        "hardsigmoid",
        "elu",
        "mish",
        "selu",
        "softplus",
        "prelu",
        "local_response_norm",
        "batch_norm",
        "layer_norm",
        "group_norm",
    ),
    *("linear", "multiply", "global_max_pool", "product", "opaque", "attention", "attention_pool"),
}
_KEEP_OUTPUT = {"relu", "sigmoid", "tanh", "softmax", "global_max_pool"}
_KEEP_INPUT_FAMILIES = ("conv", "max_pool", "avg_pool", "adaptive_max_pool", "adaptive_avg_pool")
_PASS_GRADIENT = {"add", "concatenate"}  # the gradient going back is the one that came, or a piece of it


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMemory:
    """What one training step needs.

    Args:
        batch_size: Samples a step.
        optimizer: A key of `OPTIMIZER_STATES`.
        weight_bytes: Parameters and running statistics.
        gradient_bytes: Gradients of all parameters that are trained.
        optimizer_bytes: The optimizer's state.
        activation_bytes: Values kept for the backward pass, for the whole batch.
        passes_bytes: The most that values and gradients take at one time on the way there and back.
        largest_bytes: The weights of the largest layer that is trained.
    """

    batch_size: int
    optimizer: str
    weight_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int
    passes_bytes: int
    largest_bytes: int

    @property
    def peak_bytes(self) -> int:
        """The most that exists at one time, everything together."""
        step = self.gradient_bytes + self.largest_bytes * _STEP_COPIES[self.optimizer]
        return self.weight_bytes + self.optimizer_bytes + max(self.passes_bytes, step)

    def with_optimizer(self, optimizer: str) -> "TrainingMemory":
        """The same step with another optimizer.

        Args:
            optimizer: `sgd`, `momentum`, `adam` or `adamw`.

        Returns:
            Its memory.
        """
        return replace(self, optimizer=optimizer, optimizer_bytes=self.gradient_bytes * OPTIMIZER_STATES[optimizer])


def inference_bytes(spec: NetworkSpec) -> int:
    """The most that the input and activations of one sample take at one time, values being let go when done with.

    Args:
        spec: The network.

    Returns:
        Bytes for one sample in float32, without weights.

    Example:
        >>> from thalweg.core.shape import Shape
        >>> layer = LayerSpec(name="relu1", kind="relu", inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(3, (8,))}, layers=(layer,), outputs=("relu1",))
        >>> inference_bytes(spec)
        192
    """
    sizes = {name: shape.size * _FLOAT_BYTES for name, shape in output_shapes(spec).items()}
    roots = _roots(spec)
    last_use = {roots[name]: len(spec.layers) for name in (*spec.inputs, *spec.outputs)}  # those are the caller's
    for number, layer in enumerate(spec.layers):
        for source in layer.inputs:
            last_use[roots[source]] = max(number, last_use.get(roots[source], 0))
    live = sum(sizes[name] for name in spec.inputs)
    peak = live
    for number, layer in enumerate(spec.layers):
        live += sizes[layer.name] if roots[layer.name] == layer.name else 0
        peak = max(peak, live)
        live -= sum(sizes[root] for root in {roots[source] for source in layer.inputs} if last_use[root] == number)
    return peak


def training_memory(spec: NetworkSpec, *, batch_size: int, optimizer: str = "adam") -> TrainingMemory:
    """What one training step needs.

    Args:
        spec: The network, with or without its final sigmoid or softmax.
        batch_size: Samples a step.
        optimizer: `sgd`, `momentum`, `adam` or `adamw`.

    Returns:
        The parts and the peak, in bytes.

    Raises:
        SpecError: The batch size is no positive whole number, or the optimizer is unknown.

    Example:
        >>> from thalweg.core.shape import Shape
        >>> layer = LayerSpec(name="fc", kind="linear", settings={"out_features": 10}, inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(100)}, layers=(layer,), outputs=("fc",))
        >>> training_memory(spec, batch_size=32).optimizer_bytes  # two moments of 1,010 weights
        8080
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise SpecError(f"batch size is {batch_size!r}; a whole number from 1 is wanted")
    if optimizer not in OPTIMIZER_STATES:
        raise SpecError(f"optimizer is {optimizer!r}; known are {', '.join(OPTIMIZER_STATES)}")
    ledger = count(spec)
    weights = ledger.parameters * _FLOAT_BYTES
    fixed = weights + ledger.buffers * _FLOAT_BYTES
    trained = {row.name: row.parameters * _FLOAT_BYTES * row.trainable for row in ledger.rows}
    gradients = sum(trained.values())
    step = _Step(spec, batch_size, trained)
    return TrainingMemory(
        batch_size=batch_size,
        optimizer=optimizer,
        weight_bytes=fixed,
        gradient_bytes=gradients,
        optimizer_bytes=gradients * OPTIMIZER_STATES[optimizer],
        activation_bytes=step.kept(),
        passes_bytes=step.there_and_back(),
        largest_bytes=max(trained.values(), default=0),
    )


def _roots(spec: NetworkSpec) -> dict[str, str]:
    roots = {name: name for name in spec.inputs}
    for layer in spec.layers:
        roots[layer.name] = roots[layer.inputs[0]] if layer.kind in _VIEWS else layer.name
    return roots


class _Step:
    """One forward and backward pass in bytes; values by the name of the layer in whose memory they lie."""

    def __init__(self, spec: NetworkSpec, batch_size: int, parameters: Mapping[str, int]) -> None:
        self.spec, self.parameters = spec, parameters
        self.shapes = output_shapes(spec)
        self.batch_size = batch_size
        self.sizes = {name: shape.size * _FLOAT_BYTES * batch_size for name, shape in self.shapes.items()}
        self.roots = _roots(spec)
        self.needs: dict[str, bool] = dict.fromkeys(spec.inputs, False)  # whether a gradient flows to it
        self.values: dict[str, set[str]] = {}  # which values each layer keeps
        self.extras: dict[str, int] = {}  # and what else, in bytes
        for layer in spec.layers:
            trained = parameters[layer.shared or layer.name] > 0
            self.needs[layer.name] = trained or any(self.needs[source] for source in layer.inputs)
            kept: tuple[set[str], int] = self._keeps(layer) if self.needs[layer.name] else (set(), 0)
            self.values[layer.name], self.extras[layer.name] = kept

    def _keeps(self, layer: LayerSpec) -> tuple[set[str], int]:
        kind, settings, source = layer.kind, complete_settings(layer), layer.inputs[0]
        shape = self.shapes[source]
        size = self.sizes[layer.name]
        if kind == "dropout":
            return set(), size if settings["p"] else 0  # the mask, in the type of the values
        if kind.startswith("adaptive_avg") and set(per_axis(settings["output_size"], shape.axes)) == {1}:
            return set(), 0  # a mean keeps nothing
        if kind == "layer_norm" and settings["over"] == "channels" and shape.axes:
            return set(), self.sizes[source]  # a copy with the channels last
        places = size // _FLOAT_BYTES * _INDEX_BYTES if kind.startswith(("max_pool", "adaptive_max")) else 0
        if kind.startswith("attention"):  # the weights: one for each query and key, or one for each position
            kept = layer.inputs[:1] if kind == "attention_pool" else layer.inputs
            pairs = math.prod(math.prod(self.shapes[each].extents) for each in kept[:2])
            return {self.roots[each] for each in kept}, pairs * _FLOAT_BYTES * self.batch_size
        margins = _margins(settings, shape)
        if margins is not None:
            return set(), margins * _FLOAT_BYTES * self.batch_size + places
        if kind == "local_response_norm":  # besides the input its squares between zeros, their mean, and its power
            places = size // shape.channels * (shape.channels + cast("int", settings["size"]) - 1) + 2 * size
        reads = kind in _KEEP_INPUT or kind.startswith(_KEEP_INPUT_FAMILIES)
        values = {self.roots[each] for each in layer.inputs} if reads else set()
        return values | ({self.roots[layer.name]} if kind in _KEEP_OUTPUT else set()), places

    def kept(self) -> int:
        """What the backward pass reads, each value once.

        Returns:
            Bytes for the whole batch.
        """
        roots = set().union(*self.values.values())
        return sum(self.sizes[root] for root in roots) + sum(self.extras.values())

    def there_and_back(self) -> int:
        """The most that exists at one time besides weights and optimizer: values, gradients of values and of weights.

        Returns:
            Bytes for the whole batch.
        """
        there, holders = self._there()
        return max(there, self._back(holders))

    def _there(self) -> tuple[int, dict[str, int]]:
        # A value lives until its last reader has run, or for ever (until the way back) when somebody keeps it.
        holders: dict[str, int] = {}
        for number, layer in enumerate(self.spec.layers):
            for root in self.values[layer.name]:
                holders.setdefault(root, number)
        uses = {self.roots[name]: len(self.spec.layers) for name in self.spec.outputs}
        uses |= dict.fromkeys(self.spec.inputs, len(self.spec.layers))  # the batch is the caller's
        for number, layer in enumerate(self.spec.layers):
            for source in layer.inputs:
                uses[self.roots[source]] = max(number, uses.get(self.roots[source], 0))
        live = peak = sum(self.sizes[name] for name in self.spec.inputs)
        for number, layer in enumerate(self.spec.layers):
            live += self.extras[layer.name] + (self.sizes[layer.name] if self.roots[layer.name] == layer.name else 0)
            peak = max(peak, live)
            ended = {self.roots[source] for source in layer.inputs}
            live -= sum(self.sizes[root] for root in ended if uses[root] == number and root not in holders)
        return peak, holders

    def _back(self, holders: Mapping[str, int]) -> int:
        # Going back, a layer needs what it kept and the gradient of its output, and makes those of inputs and weights.
        always = {*self.spec.inputs, *(self.roots[name] for name in self.spec.outputs)}
        live = sum(self.sizes[root] for root in {*holders, *always}) + sum(self.extras.values())
        gradients = {name: self.sizes[name] for name in self.spec.outputs}
        live += sum(gradients.values())
        peak = live
        for number in range(len(self.spec.layers) - 1, -1, -1):
            layer = self.spec.layers[number]
            came = gradients.pop(layer.name, 0)
            made = self.parameters[layer.name]
            passed = layer.kind in _PASS_GRADIENT or layer.kind in _VIEWS - _PARTS
            for source in layer.inputs[: 1 if layer.kind == "resize" else None]:  # only its size is read of the second
                if self.needs[source]:
                    fresh = 0 if passed else self.sizes[source]
                    made += fresh
                    gradients[source] = gradients.get(source, 0) + fresh
            peak = max(peak, live + made)
            live += made
            if passed and layer.inputs:  # the gradient that came lives on in those of the inputs
                gradients[layer.inputs[0]] = gradients.get(layer.inputs[0], 0) + came
            else:
                live -= came
            for source in layer.inputs:  # branches add their gradients up into one
                surplus = gradients.get(source, 0) - self.sizes[source]
                if surplus > 0:
                    gradients[source] -= surplus
                    live -= surplus
            live -= self.extras[layer.name]
            live -= sum(self.sizes[root] for root, first in holders.items() if first == number and root not in always)
        return peak


def _margins(settings: Mapping[str, Setting], shape: Shape) -> int | None:
    """Values in the grown copy that a window with unequal margins reads; None where torch needs no copy."""
    if "kernel_size" not in settings or "output_padding" in settings:
        return None
    axes = windows(settings, shape.extents)
    strided = settings["padding"] == "same" and any(window.stride > 1 for window in axes)
    if not strided and all(window.padding_end is None for window in axes):
        return None
    grown = zip(shape.extents, axes, strict=True)
    return shape.channels * math.prod(extent + window.padding_total for extent, window in grown)
