"""timm's networks: described by following one, built by us, with the weights that timm finds.

What cannot be built from our layers (attention, activations inside a normalisation) is refused with its first layer,
since a run folder must say all of its network.
"""

from dataclasses import replace
from typing import Any

from thalweg.core.errors import MissingExtraError, SpecError, WeightsError
from thalweg.core.files import printable
from thalweg.core.network_spec import LayerSpec, NetworkSpec, Setting
from thalweg.core.shape import Shape
from thalweg.modules.make import MAKERS
from thalweg.modules.torchvision_shim import let_torchvision_import
from thalweg.modules.trace import trace
from thalweg.pretrained.obtaining import OFFLINE, Weights
from thalweg.pretrained.published import TIMM

__all__ = ["timm_network", "timm_weights"]

_BINARY = 2


def timm_network(name: str, input_shape: Shape, classes: int) -> NetworkSpec:
    """Describe one of timm's networks, with its preprocessing and a head for so many classes.

    Args:
        name: `timm:` and timm's name.
        input_shape: Of a photo, in colour.
        classes: Number of classes.

    Returns:
        The network, from pixels 0..255 to probabilities.

    Raises:
        SpecError: timm does not know the name, or the network has layers that are not ours.
    """
    units = 1 if classes == _BINARY else classes
    model = _made(name, num_classes=units)
    config = getattr(model, "default_cfg", {})
    spec = trace(model, input_shape, name=name)
    odd = next((layer for layer in spec.layers if layer.kind not in MAKERS), None)
    if odd is not None:
        raise SpecError(
            f"--backbone {printable(name)}: its step {odd.name!r} is no layer that thalweg builds; "
            f"networks of plain layers such as timm:resnet18 can be taken"
        )
    mean, deviation = (tuple(map(float, config.get(key, (0.5,) * 3))) for key in ("mean", "std"))
    scale = tuple(1 / (255 * each) for each in deviation)
    offset = tuple(-middle / each for middle, each in zip(mean, deviation, strict=True))
    settings: dict[str, Setting] = {"scale": scale, "offset": offset}  # type: ignore[dict-item]
    first = LayerSpec(name="pixels", kind="rescale", settings=settings, inputs=tuple(spec.inputs))
    entry = next(iter(spec.inputs))
    layers = tuple(
        replace(layer, inputs=tuple("pixels" if each == entry else each for each in layer.inputs)) for layer in spec
    )
    last = LayerSpec(name="probability", kind="sigmoid" if units == 1 else "softmax", inputs=spec.outputs)
    return replace(spec, layers=(first, *layers, last), outputs=("probability",))


def timm_weights(name: str) -> Weights:
    """Have timm fetch the weights of a network.

    Args:
        name: `timm:` and timm's name.

    Returns:
        The tensors.

    Raises:
        WeightsError: They cannot be had.
        SpecError: timm does not know the name.
        MissingExtraError: timm is not installed.
    """
    try:
        model = _made(name, pretrained=True)
    except (SpecError, MissingExtraError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever the hub's client raises
        why = printable(str(error).strip().partition("\n")[0])[:160] or type(error).__name__
        raise WeightsError(
            f"--backbone {printable(name)}: timm cannot fetch its weights ({why}): give a file with --weights; "
            f"{OFFLINE}"
        ) from None
    return Weights(tensors=dict(model.state_dict()), about=f"as timm publishes {name}", place=name, sha256="")


def _made(name: str, **options: Any) -> Any:  # noqa: ANN401 - whatever timm takes and makes
    let_torchvision_import()
    try:
        import timm  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except (ImportError, RuntimeError):
        raise MissingExtraError("timm", "backbones", f"for --backbone {printable(name)}") from None
    called = name.removeprefix(TIMM)
    if not timm.is_model(called):
        near = ", ".join(timm.list_models(f"*{called[:6]}*")[:3]) if called.isidentifier() else ""
        raise SpecError(
            f"--backbone {printable(name)}: timm knows no such network" + (f"; near: {near}" if near else "")
        )
    return timm.create_model(called, **{"pretrained": False, **options})
