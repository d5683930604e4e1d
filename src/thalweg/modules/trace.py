"""From a torch module to a network's description, by running it once on batches that have sizes but no values.

Nothing is computed and no weight is allocated. Only one way through the control flow is seen: the one that an input of
this size takes in evaluation mode. What no layer of ours describes is written down as a step with its recorded shape
(`core.layer_kinds.traced`); a branch on a value, which does not exist here, cannot be followed.
"""

import contextlib
import inspect
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import layer_kind, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec, Setting
from thalweg.core.shape import Shape
from thalweg.modules.build import BuiltNetwork
from thalweg.modules.following import Following
from thalweg.modules.lazy import with_sizes
from thalweg.modules.reading import READERS, read_module
from thalweg.modules.sources import Sources, tensors_in

__all__ = ["trace"]


def trace(module: nn.Module, *input_shapes: Shape, name: str = "") -> NetworkSpec:
    """Describe a torch module.

    Args:
        module: Any module whose forward pass takes batches alone. It is followed in evaluation mode, along the one way
            through its control flow that inputs of these shapes take; weights that this way does not use (an auxiliary
            head, for example) stand in steps of their own called `unused`.
        *input_shapes: Shape of one sample for each argument; not needed for what `build` made.
        name: What the network is called; the class's name by default.

    Returns:
        The network's description. Steps that none of our layers describes are of the kinds `step` (no
        multiplications), `product` (with them) or `opaque` (unknown): such a network can be counted and drawn, but
        not built.

    Raises:
        SpecError: The forward pass cannot be followed: it fails, or asks for values.
        ShapeError: The input shapes do not fit the module.

    Example:
        >>> spec = trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), Shape(3, (32, 32)))
        >>> [(layer.name, layer.kind) for layer in spec]
        [('0', 'conv2d'), ('1', 'relu')]
    """
    if isinstance(module, BuiltNetwork):
        return _with_frozen(_read_back(module), module)
    called = type(module).__name__
    batches = {
        key: torch.empty((1, *shape.as_tuple()), device="meta")
        for key, shape in zip(_argument_names(module, len(input_shapes), called), input_shapes, strict=True)
    }
    try:
        module = with_sizes(module, tuple(batches.values()))
    except Exception as error:
        raise SpecError(f"the lazy layers of {called} cannot be given their sizes: {_first_line(error)}") from error
    own = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    stand_ins = {key: torch.empty_like(each, device="meta") for key, each in own.items() if not each.is_meta}
    following = Following(module, Sources(module, stand_ins), batches)
    with _hooked(module, following), torch.no_grad(), torch.device("meta"), following:
        try:
            given = tuple(batches.values())
            result = torch.func.functional_call(module, stand_ins, given) if stand_ins else module(*given)
        except SpecError:
            raise
        except Exception as error:
            part = _running(module, following)
            if "meta tensors" in str(error):  # what torch says of every question for a value
                raise SpecError(
                    f"the forward pass of {called} cannot be followed{part}: it asks for values, such as "
                    f"`if x.sum() > 0`, and here batches have sizes alone; count a module that goes one of the ways"
                ) from error
            raise SpecError(f"the forward pass of {called} cannot be followed{part}: {_first_line(error)}") from error
    return _with_frozen(_described(name or called, following, batches, result), module)


def _running(module: nn.Module, following: Following) -> str:
    """The part of a module that was running when it failed."""
    path = following.modules[id(following.leaf[0])] if following.leaf else "".join(following.paths[-1:])
    return f" at {path!r} ({type(module.get_submodule(path)).__name__})" if path else ""


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _described(name: str, following: Following, batches: dict[str, Tensor], result: object) -> NetworkSpec:
    ends = [following.name_of(each) for each in tensors_in(result)]
    outputs = tuple(dict.fromkeys(end for end in ends if end is not None))
    if not outputs:
        raise SpecError(f"{name} returns {type(result).__name__}, in which no value computed from its input is found")
    inputs = {key: Shape(batch.shape[1], tuple(batch.shape[2:])) for key, batch in batches.items()}
    following.rest()
    spec = NetworkSpec(name=name, inputs=inputs, layers=tuple(following.layers), outputs=outputs)
    output_shapes(spec)
    return spec


def _with_frozen(spec: NetworkSpec, module: nn.Module) -> NetworkSpec:
    """Say of every layer whose weights want no gradients that it is not trained; steps know it already."""
    wanting: dict[str, bool] = {}
    for key, weight in module.named_parameters(remove_duplicate=False):
        place = key.rpartition(".")[0]
        wanting[place] = wanting.get(place, False) or weight.requires_grad
    if all(wanting.values()):
        return spec
    return replace(
        spec,
        layers=tuple(replace(each, trainable=each.trainable and wanting.get(each.name, True)) for each in spec.layers),
    )


def _argument_names(module: nn.Module, given: int, called: str) -> list[str]:
    """The names of the forward pass's arguments, as many as there are shapes."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = list(inspect.signature(module.forward).parameters.values())
    names = [each.name for each in parameters if each.kind in positional]
    needed = [each.name for each in parameters if each.kind in positional and each.default is inspect.Parameter.empty]
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
        names += [f"input{number}" for number in range(len(names) + 1, given + 1)]
    if 0 < given < len(needed):
        raise SpecError(
            f"the shape of input {names[given]!r} of {called} is not given: it takes {len(needed)}, and their "
            f"shapes stand one after the other: --input '3,224,224; 10'"
        )
    if given < max(1, len(needed)):
        raise SpecError(f"the shape of input {(names or ['input'])[given]!r} of {called} is not given")
    if given > len(names):
        raise SpecError(f"{given - len(names)} input shapes more were given than {called} takes")
    return names[:given]


@contextlib.contextmanager
def _hooked(module: nn.Module, following: Following) -> Iterator[None]:
    """Evaluation mode, with every part telling when it begins and ends; afterwards everything is as before."""
    training = {part: part.training for part in module.modules()}
    layers = [part for part in training if type(part) in READERS and "forward" not in vars(part)]
    hooks: list[Any] = []
    try:
        if any(training.values()):
            module.eval()
        for part in training:
            hooks.append(part.register_forward_pre_hook(following.before, with_kwargs=True, prepend=True))
            hooks.append(part.register_forward_hook(partial(_after, following), with_kwargs=True))
        for part in layers:
            vars(part)["forward"] = partial(following.stand_in, part, part.forward)  # past nn.Module's slow setter
        yield
    finally:
        for part in layers:
            vars(part).pop("forward", None)
        for hook in hooks:
            hook.remove()
        for part, mode in training.items():
            vars(part)["training"] = mode


def _after(
    following: Following, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: object
) -> None:
    following.after(module, args, kwargs, result)


def _read_back(network: BuiltNetwork) -> NetworkSpec:
    layers = []
    for layer in network.spec.layers:
        kind, settings = read_module(network.get_submodule(layer.shared or layer.name))
        if layer.settings.get("zero_init") and kind == "batch_norm":
            settings["zero_init"] = True  # how it began cannot be seen in what it is
        layers.append(_layer(layer.name, kind, settings, layer.inputs, layer.shared, layer.block))
    spec = network.spec
    read = NetworkSpec(name=spec.name, inputs=spec.inputs, layers=tuple(layers), outputs=spec.outputs, form=spec.form)
    output_shapes(read)
    return read


def _layer(
    name: str,
    kind: str,
    settings: dict[str, Setting],
    inputs: tuple[str, ...],
    shared: str | None,
    block: tuple[str, ...],
) -> LayerSpec:
    forms = layer_kind(kind).settings
    said = {key: value for key, value in settings.items() if value != forms[key].default}
    return LayerSpec(name=name, kind=kind, settings=said, inputs=inputs, shared=shared, block=block)
