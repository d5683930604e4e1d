"""A network on one line: `conv1d(16,7) relu maxpool1d(2) flatten dense(5)`.

Each word is a layer, as it is called in `networks.layers`, in any spelling (`maxpool1d`, `max_pool1d`, `MaxPool1d`),
with its arguments by position or by name: `conv2d(32, 3, padding=same)`. The line is read, never evaluated.
"""

import ast
import dataclasses
import difflib
import re
from collections.abc import Iterator, Sequence

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks import layers
from thalweg.networks.sequential import Sequential
from thalweg.networks.writing import Layer, Value

__all__ = ["inline_network", "is_inline"]

_COLOURS = (1, 3, 4)  # channels of pictures; no size of one is as small
_LONGEST = 20_000  # characters; far beyond what anybody types
_WORDS = {"true": True, "false": False, "none": None}


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


_LAYERS: dict[str, type[Layer]] = {_plain(name): getattr(layers, name) for name in layers.__all__}
_LAYERS |= {f"batchnorm{axes}d": layers.BatchNorm for axes in (1, 2, 3)}
_LAYERS["lrn"] = layers.LocalResponseNorm
_OTHER_WORDS = {
    "maxpooling": "maxpool2d(2)", "averagepooling": "avgpool2d(2)", "globalaveragepooling": "globalavgpool",
    "globalmaxpooling": "globalmaxpool", "batchnormalization": "batchnorm", "layernormalization": "layernorm",
    "groupnormalization": "groupnorm(8)", "zeropadding": "pad(1)", "upsampling": "upsample(2)", "fc": "dense(10)",
    "fullyconnected": "dense(10)", "swish": "silu", "hswish": "hardswish", "globalpool": "globalavgpool",
    "separableconv": "conv2d(3, 3, groups=3) conv2d(64, 1)", "depthwiseconv": "conv2d(3, 3, groups=3)",
    "convtranspose": "convtranspose2d(16, 2, stride=2)", "deconv": "convtranspose2d(16, 2, stride=2)",
    "instancenorm": "groupnorm(16)", "conv": "conv2d(16, 3)", "maxpool": "maxpool2d(2)",
    "avgpool": "avgpool2d(2)", "pool": "maxpool2d(2)", "cropping": "crop(4)", "gap": "globalavgpool",
}  # fmt: skip
"""What other libraries and papers call layers, without their axes, and how it is written here."""
_OTHER_ARGUMENTS = {
    "filters": "out_channels", "strides": "stride", "pool_size": "kernel_size", "use_bias": "bias", "rate": "p",
    "dilation_rate": "dilation", "units": "out_features", "kernel": "kernel_size", "pad": "padding",
    "size": "kernel_size",
}  # fmt: skip
_ELSEWHERE = ("lstm", "gru", "rnn", "embedding", "multiheadattention")  # torch modules have them, lines do not


def is_inline(text: str) -> bool:
    """Whether a network's name on the command line is a list of layers rather than a name.

    Args:
        text: What was typed.

    Returns:
        True where it begins with a layer and has arguments or several words.

    Example:
        >>> is_inline("conv1d(16,7) relu"), is_inline("resnet50")
        (True, False)
    """
    words = text.replace("(", " ( ").split()
    return len(words) > 1 and _plain(words[0]) in _LAYERS


def inline_network(text: str, input_shape: Shape, *, name: str = "inline") -> NetworkSpec:
    """Read a network from one line.

    Args:
        text: Layers, separated by spaces.
        input_shape: Channels and size of one sample.
        name: What the network is called.

    Returns:
        The network.

    Raises:
        SpecError: A word is no layer, or its arguments are not understood.
        ShapeError: Two layers do not fit.

    Example:
        >>> spec = inline_network("conv1d(16,7) relu maxpool1d(2) flatten dense(5)", Shape(3, (505,)))
        >>> [layer.kind for layer in spec]
        ['conv1d', 'relu', 'max_pool1d', 'flatten', 'linear']
    """
    if len(text) > _LONGEST:
        raise SpecError(f"the list of layers has {len(text)} characters; at most {_LONGEST} are read")
    found = [_layer(word, number) for number, word in enumerate(_words(text), 1)]
    if not found:
        raise SpecError("the list of layers is empty; write one such as: conv2d(16,3) relu flatten dense(2)")
    try:
        return Sequential([Value(shape=input_shape), *found], name=name)
    except ShapeError as error:
        example = _meant(found, input_shape)
        if not example:
            raise
        raise ShapeError(f"{error}: one sample is wanted, channels first, such as {example}") from None


def _meant(found: Sequence[Layer], given: Shape) -> str:
    """The input that may have been meant: without the batch, with channels, or with channels first; else nothing."""
    sizes = given.as_tuple()
    ends = (re.search(r"([123])d$", type(layer).__name__) for layer in found)
    axes = next((int(end[1]) for end in ends if end), given.axes)
    if axes == given.axes:
        meant = (sizes[-1], *sizes[:-1]) if axes > 1 and sizes[-1] in _COLOURS and sizes[0] > sizes[-1] else ()
    else:
        meant = (
            (1, *sizes)
            if len(sizes) == axes and min(sizes) > max(_COLOURS)
            else sizes[-axes - 1 :]
            if len(sizes) > axes
            else ()
        )
        if meant and meant[-1] in _COLOURS and meant[0] > meant[-1]:
            meant = (meant[-1], *meant[:-1])
    return ",".join(map(str, meant))


def _words(text: str) -> Iterator[str]:
    depth, word = 0, ""
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            raise SpecError(f"a bracket closes that was never opened, after {word!r}")
        if depth == 0 and (character.isspace() or character in ",;"):
            if word:
                yield word
            word = ""
        else:
            word += character
    if depth:
        raise SpecError(f"the bracket of {word.partition('(')[0]!r} is never closed")
    if word:
        yield word


def _hint(said: str) -> str:
    """What may have been meant by a word that is no layer."""
    if _plain(said) in _ELSEWHERE:
        return "write a torch module and count it as net.py:build, which follows every layer of torch"
    here = _OTHER_WORDS.get(re.sub(r"[123]d$", "", _plain(said)))
    if here:
        axes = said[-2:].lower() if re.search(r"[13][dD]$", said) else "2d"
        here = here.replace("2d", axes)
        return f"here it is written {here}"
    near = difflib.get_close_matches(_plain(said), _LAYERS, n=3)
    return f"did you mean {' or '.join(near)}?" if near else f"layers are {', '.join(sorted(_LAYERS))}"


def _layer(word: str, number: int) -> Layer:
    said, _, rest = word.partition("(")
    place = f"layer {number} ({said})"
    kind = _LAYERS.get(_plain(said))
    if kind is None:
        raise SpecError(f"layer {number}: {said!r} is no layer; {_hint(said)}")
    positional, named = _arguments(f"f({rest}" if rest else "f()", place)
    fields = [field for field in dataclasses.fields(kind) if field.name != "name"]
    if len(positional) > len(fields):
        raise SpecError(f"{place} has {len(positional)} arguments; it takes {len(fields)}")
    given = dict(zip((field.name for field in fields), positional, strict=False))
    for key, value in named.items():
        if key in given or key not in {field.name for field in fields}:
            known = ", ".join(field.name for field in fields) or "none"
            if key == "activation":
                raise SpecError(
                    f"{place}: an activation is a layer of its own here: write {said}(...) and then its word"
                )
            here = _OTHER_ARGUMENTS.get(key, "")
            if here in {field.name for field in fields} - given.keys():
                raise SpecError(f"{place}: argument {key!r} is called {here} here; known are {known}")
            raise SpecError(
                f"{place}: argument {key!r} is {'given twice' if key in given else f'unknown; known are {known}'}"
            )
        given[key] = value
    for field in fields:
        if field.name not in given and field.default is dataclasses.MISSING:
            raise SpecError(f"{place}: argument {field.name!r} is missing")
    return kind(**given)  # type: ignore[arg-type]


def _arguments(text: str, place: str) -> tuple[list[object], dict[str, object]]:
    try:
        call = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SpecError(
            f"{place}: its arguments are not understood; write them as in conv2d(16, 3, stride=2)"
        ) from None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise SpecError(f"{place}: one pair of brackets is wanted, as in conv2d(16, 3)")
    named = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise SpecError(f"{place}: stars mean nothing here")
        named[keyword.arg] = _value(keyword.value, place)
    return [_value(item, place) for item in call.args], named


def _value(node: ast.expr, place: str) -> object:
    if isinstance(node, ast.Name):  # a bare word, as in padding=same
        return _WORDS.get(node.id.lower(), node.id)
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise SpecError(f"{place}: an argument is no number, word or tuple of numbers") from None
    return value
