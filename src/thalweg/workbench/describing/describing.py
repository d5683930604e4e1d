"""From what somebody names to a network's description: a name, a folder, a file, a line, a function, a model of timm.

Only the last two load torch; the rest answers in a blink.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from thalweg.core.errors import PlanError, ShapeError, SpecError
from thalweg.core.files import printable
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.run_folder import RunFolder
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import NAMES, SEGMENTERS, network, spelled
from thalweg.networks.inline import inline_network, is_inline
from thalweg.workbench.describing.spec_files import ENDINGS, FOREIGN, read_spec_file

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Described", "InputSizes", "describe", "usual"]

InputSizes: TypeAlias = "str | Sequence[int] | Shape | Sequence[str | Sequence[int] | Shape] | None"

_PHOTO = (Shape(3, (224, 224)), 1000)
_USUAL = {
    "small": (Shape(3, (96, 96)), 2),
    "plain": (Shape(3, (256, 256)), 2),
    "plain-sequential": (Shape(3, (256, 256)), 2),
    "plain-functional": (Shape(3, (256, 256)), 2),
    "lenet": (Shape(1, (28, 28)), 10),
    "inception": (Shape(3, (32, 32)), 10),
    "inception-v3": (Shape(3, (299, 299)), 1000),
    **dict.fromkeys(SEGMENTERS, (Shape(3, (180, 240)), 11)),
    **{f"{name}-1d": (Shape(1, (187,)), 5) for name in ("small", "plain", "inception")},
    **{f"{name}-3d": (Shape(1, (32, 32, 32)), 2) for name in ("small", "plain", "inception")},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A network that somebody named.

    Args:
        spec: Its description.
        note: What was taken as usual because nothing was said, in a sentence; empty when everything was said.
    """

    spec: NetworkSpec
    note: str = ""


def usual(name: str) -> tuple[Shape, int]:
    """The input and the number of classes that a network of the catalogue is usually met with.

    Args:
        name: Its name.

    Returns:
        Shape of one sample, and classes: those of ImageNet for networks that were published on it.

    Example:
        >>> usual("inception-v3")
        (Shape(channels=3, extents=(299, 299)), 1000)
    """
    return _USUAL.get(name, _PHOTO)


def describe(
    named: "str | Path | NetworkSpec | nn.Module",
    *,
    input: InputSizes = None,  # noqa: A002 - the word of the option
    classes: int | None = None,
) -> Described:
    """Find out which network is meant.

    Args:
        named: A name of the catalogue, a run folder, a JSON or YAML file, a line of layers, `module:function`,
            `net.py` or `net.py:NAME`, `timm:NAME`, a description, or a torch module.
        input: Channels and size of one sample, such as `3,224,224`; of each input where there are several, in order, in
            a list or as `3,224,224; 10`; what is usual, or stands in the file, by default.
        classes: Number of classes of a network of the catalogue or of timm; what is usual by default.

    Returns:
        The description, and what was assumed.

    Raises:
        PlanError: The input is missing where nothing is usual, or classes are given where they are already decided.
        SpecError: Nothing is called that, or the description is not well formed.
        ShapeError: The input does not fit.
        RunError: The run folder is damaged.
        MissingExtraError: timm is not installed.

    Example:
        >>> describe("lenet").spec.inputs["input"], describe("relu flatten dense(5)", input="3,8,8").spec.name
        (Shape(channels=1, extents=(28, 28)), 'inline')
    """
    shapes = _shapes(input)
    if classes is not None and (isinstance(classes, bool) or not isinstance(classes, int) or classes < 2):  # noqa: PLR2004
        raise PlanError(f"--classes {classes}: a whole number from 2 is wanted")
    if isinstance(named, str) and not _exists(Path(named)):
        named = spelled(named)
    if isinstance(named, str) and named in (*NAMES, *SEGMENTERS):
        return _from_catalogue(named, _only(shapes, named), classes)
    if isinstance(named, str) and named.startswith("timm:"):
        from thalweg.workbench.describing.foreign import from_timm

        return Described(spec=from_timm(named.removeprefix("timm:"), _only(shapes, named), classes))
    if classes is not None:
        raise PlanError("--classes goes with a name of the catalogue or of timm; here the last layer decides it")
    if isinstance(named, NetworkSpec):
        spec = named
    elif isinstance(named, str | Path):
        spec = _from_text(str(named), shapes)
    else:
        from thalweg.workbench.describing.foreign import from_module

        spec = from_module(named, shapes)
    return Described(spec=_resized(spec, shapes), note=_channels_last(shapes))


def _channels_last(shapes: tuple[Shape, ...]) -> str:
    """A word where an input looks as other libraries write it: it may fit, and every number is another one then."""
    for shape in shapes:
        *others, last = shape.as_tuple()
        if shape.axes > 1 and last in {1, 3, 4} and min(others) > last:
            turned = ",".join(map(str, (last, *others)))
            return f"Input {shape} is read as {shape.channels:,} channels: channels stand first, as in {turned}."
    return ""


def _shapes(given: InputSizes) -> tuple[Shape, ...]:
    try:
        if isinstance(given, str):
            return tuple(map(Shape.parse, given.split(";")))
        if given is None or isinstance(given, Shape):
            return () if given is None else (given,)
        return tuple(map(_shape, given if isinstance(given[0], str | Shape | Sequence) else [given]))
    except (ShapeError, IndexError, TypeError) as error:
        raise ShapeError(f"--input: {error}") from None


def _shape(given: Any) -> Shape:  # noqa: ANN401 - what somebody put into a list
    if isinstance(given, str):
        return Shape.parse(given)
    return given if isinstance(given, Shape) else Shape(given[0], tuple(given[1:]))


def _only(shapes: tuple[Shape, ...], named: str) -> Shape | None:
    if len(shapes) > 1:
        raise PlanError(f"--input says the sizes of {len(shapes)} inputs; {printable(named)} has one")
    return shapes[0] if shapes else None


def _from_catalogue(name: str, shape: Shape | None, classes: int | None) -> Described:
    usual_shape, usual_classes = usual(name)
    spec = network(name, shape or usual_shape, usual_classes if classes is None else classes)
    assumed = {
        "--input": f"input {usual_shape}" if shape is None else "",
        "--classes": f"{usual_classes:,} classes" if classes is None else "",
    }
    words = [word for word in assumed.values() if word]
    options = [option for option, word in assumed.items() if word]
    note = f"Usual for {name}: {', '.join(words)} ({', '.join(options)})." if words else ""
    note = _channels_last((shape,) if shape else ()) or note
    return Described(spec=spec, note=note)


def _from_text(text: str, shapes: tuple[Shape, ...]) -> NetworkSpec:
    path = Path(text)
    if not text.strip():
        raise SpecError("the network has no name; give one such as resnet50, a file, a run folder or a list of layers")
    file, colon, member = text.rpartition(":") if re.search(r"\.py:\w+$", text) else (text, "", "")
    if file.endswith(".py"):
        from thalweg.workbench.describing.foreign import from_python_file

        return from_python_file(Path(file), member or None, shapes)
    if _exists(path):
        return RunFolder.open(path).read_network() if path.is_dir() else read_spec_file(path)
    module, colon, function = text.partition(":")
    if colon and function.isidentifier() and all(part.isidentifier() for part in module.split(".")):
        from thalweg.workbench.describing.foreign import from_function

        return from_function(module, function, shapes)
    if path.suffix.lower() in {*ENDINGS, *FOREIGN}:
        raise SpecError(f"{printable(text)}: there is no such file")
    if is_inline(text) or "(" in text or " " in text.strip():
        shape = _only(shapes, "a list of layers")
        if shape is None:
            raise PlanError("a list of layers needs its input: add --input 3,224,224 (channels, then each axis)")
        return inline_network(text, shape)
    if "/" in text or "\\" in text:
        raise SpecError(f"{printable(text)}: there is no such run folder or file")
    return network(printable(text), _PHOTO[0], _PHOTO[1])  # refuses it, with the names that are near


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # far too long for a name, or a zero byte in it
        return False


def _resized(spec: NetworkSpec, shapes: tuple[Shape, ...]) -> NetworkSpec:
    """The same layers on inputs of other sizes."""
    if not shapes or tuple(spec.inputs.values()) == shapes:
        return spec
    if len(spec.inputs) != len(shapes):
        named = "; ".join(f"{name} ({each})" for name, each in spec.inputs.items())
        raise PlanError(
            f"--input says the size of {len(shapes)}; network {spec.name!r} has {len(spec.inputs)} inputs: {named}"
        )
    resized = replace(spec, inputs=dict(zip(spec.inputs, shapes, strict=True)))
    output_shapes(resized)
    return resized
