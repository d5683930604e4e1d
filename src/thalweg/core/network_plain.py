"""A network's description as plain data and back, as `network.json` beside a model's weights holds it.

Reading is strict, since such files come from other people: every field, type, layer and shape is checked, an unknown
field is refused rather than skipped, and nothing in the file can name code.
"""

from collections.abc import Mapping
from typing import Any

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape

__all__ = ["SCHEMA", "spec_from_plain", "spec_to_plain"]

SCHEMA = 1

_FIELDS = ("schema", "name", "form", "inputs", "layers", "outputs")
_LAYER_FIELDS = ("name", "kind", "settings", "inputs", "shared", "block", "trainable")
_FORMS = ("sequential", "functional")


def spec_to_plain(spec: NetworkSpec) -> dict[str, Any]:
    """Turn a network's description into what `json.dumps` accepts.

    Args:
        spec: The network.

    Returns:
        Dictionaries, lists, strings, numbers and booleans only.

    Example:
        >>> layer = LayerSpec(name="relu1", kind="relu", inputs=("input",))
        >>> spec = NetworkSpec(name="n", inputs={"input": Shape(3, (8,))}, layers=(layer,), outputs=("relu1",))
        >>> spec_to_plain(spec)["layers"]
        [{'name': 'relu1', 'kind': 'relu', 'inputs': ['input']}]
    """
    return {
        "schema": SCHEMA,
        "name": spec.name,
        "form": spec.form,
        "inputs": {name: list(shape.as_tuple()) for name, shape in spec.inputs.items()},
        "layers": [_layer_to_plain(layer) for layer in spec.layers],
        "outputs": list(spec.outputs),
    }


def _layer_to_plain(layer: LayerSpec) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": layer.name, "kind": layer.kind}
    if layer.settings:
        plain["settings"] = {name: _thawed(value) for name, value in layer.settings.items()}
    plain["inputs"] = list(layer.inputs)
    if layer.shared is not None:
        plain["shared"] = layer.shared
    if layer.block:
        plain["block"] = list(layer.block)
    if not layer.trainable:
        plain["trainable"] = False
    return plain


def _thawed(value: object) -> object:
    return [_thawed(item) for item in value] if isinstance(value, tuple) else value


def spec_from_plain(data: object) -> NetworkSpec:
    """Read a network's description from what `json.loads` gave.

    Args:
        data: The plain data.

    Returns:
        The network, with every setting and shape checked.

    Raises:
        SpecError: A field is missing, unknown or of a wrong type, the schema is another, or a layer is not well formed.
        ShapeError: Two layers do not fit.

    Example:
        >>> spec_from_plain({"schema": 7})
        Traceback (most recent call last):
        ...
        thalweg.core.errors.SpecError: network: schema is 7, this version reads 1
    """
    fields = _object(
        data, "network", _FIELDS, required=("schema", "name", "inputs", "layers", "outputs"), first="schema"
    )
    name = _word(fields["name"], "network name")
    form = _word(fields.get("form", "functional"), "network form")
    if form not in _FORMS:
        raise SpecError(f"network form is {form!r}; {' or '.join(_FORMS)} is wanted")
    if not isinstance(fields["inputs"], Mapping):
        raise SpecError(f"network inputs: an object is wanted, not {fields['inputs']!r}")
    spec = NetworkSpec(
        name=name,
        inputs={_word(key, "input name"): _shape(value, key) for key, value in fields["inputs"].items()},
        layers=tuple(_layer(item, number) for number, item in enumerate(_list(fields["layers"], "network layers"), 1)),
        outputs=_words(fields["outputs"], "network outputs"),
        form=form,
    )
    output_shapes(spec)
    return spec


def _layer(data: object, number: int) -> LayerSpec:
    place = f"layer {number}"
    fields = _object(data, place, _LAYER_FIELDS, required=("name", "kind", "inputs"))
    name = _word(fields["name"], f"{place}, name")
    place = f"layer {name!r}"
    settings = fields.get("settings", {})
    if not isinstance(settings, Mapping):
        raise SpecError(f"{place}, settings: an object is wanted, not {settings!r}")
    shared = fields.get("shared")
    trainable = fields.get("trainable", True)
    if not isinstance(trainable, bool):
        raise SpecError(f"{place}, trainable: true or false is wanted, not {trainable!r}")
    return LayerSpec(
        name=name,
        kind=_word(fields["kind"], f"{place}, kind"),
        settings={
            _word(key, f"{place}, setting"): _setting(value, f"{place}, {key}") for key, value in settings.items()
        },
        inputs=_words(fields["inputs"], f"{place}, inputs"),
        shared=None if shared is None else _word(shared, f"{place}, shared"),
        block=_words(fields.get("block", []), f"{place}, block"),
        trainable=trainable,
    )


def _object(
    data: object, place: str, known: tuple[str, ...], *, required: tuple[str, ...], first: str = ""
) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise SpecError(f"{place}: an object is wanted, not {type(data).__name__}")
    if first and data.get(first) != SCHEMA:  # another schema may have other fields: say so before complaining of them
        raise SpecError(f"{place}: schema is {data.get(first)!r}, this version reads {SCHEMA}")
    for name in data:
        if name not in known:
            raise SpecError(f"{place}: unknown field {name!r}; known are {', '.join(known)}")
    for name in required:
        if name not in data:
            raise SpecError(f"{place}: field {name!r} is missing")
    return data


def _list(data: object, place: str) -> list[Any]:
    if not isinstance(data, list):
        raise SpecError(f"{place}: a list is wanted, not {data!r}")
    return data


def _word(data: object, place: str) -> str:
    if not isinstance(data, str) or not data or not data.isprintable():
        raise SpecError(f"{place}: a printable word is wanted, not {data!r}")
    return data


def _words(data: object, place: str) -> tuple[str, ...]:
    return tuple(_word(item, place) for item in _list(data, place))


def _shape(data: object, name: object) -> Shape:
    sizes = _list(data, f"input {name!r}")
    if not sizes:
        raise SpecError(f"input {name!r}: channels and sizes are wanted, not an empty list")
    return Shape(sizes[0], tuple(sizes[1:]))


def _setting(data: object, place: str, depth: int = 0) -> Any:  # noqa: ANN401 - the kind checks what it is
    if isinstance(data, list) and depth < 2:  # noqa: PLR2004 - pairs for each axis are the deepest there is
        return tuple(_setting(item, place, depth + 1) for item in data)
    if data is None or isinstance(data, str | int | float):
        return data
    raise SpecError(f"{place}: a word, a number or a list of numbers is wanted, not {data!r}")
