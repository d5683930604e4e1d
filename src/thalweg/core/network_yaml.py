"""A network's description as YAML, for people to read and change; `read_spec_file` reads it back."""

from typing import Any

import yaml

from thalweg.core.network_plain import spec_to_plain
from thalweg.core.network_spec import NetworkSpec

__all__ = ["spec_to_yaml"]

_WIDTH = 120


class _Writer(yaml.SafeDumper):
    """Writes every value out: an alias (`*name`), which the reader refuses, never stands for a repeated list."""

    def ignore_aliases(self, data: object) -> bool:
        return data is not Ellipsis  # which never occurs: nothing is abbreviated


def spec_to_yaml(spec: NetworkSpec) -> str:
    """Write a network's description as YAML, one line a layer.

    Args:
        spec: The network.

    Returns:
        The document of `network.json` in YAML; ASCII only, so that any editor keeps it.

    Example:
        >>> from thalweg.core.network_spec import LayerSpec
        >>> from thalweg.core.shape import Shape
        >>> layer = LayerSpec(name="relu1", kind="relu", inputs=("input",))
        >>> spec = NetworkSpec(name="n", inputs={"input": Shape(3, (8,))}, layers=(layer,), outputs=("relu1",))
        >>> print(spec_to_yaml(spec).splitlines()[6])
        - {name: relu1, kind: relu, inputs: [input]}
    """
    plain = spec_to_plain(spec)
    layers = plain.pop("layers")
    outputs = plain.pop("outputs")
    parts = [_block(plain), "layers:\n", *(f"- {_line(layer)}" for layer in layers), _block({"outputs": outputs})]
    return "".join(parts) if layers else _block({**plain, "layers": [], "outputs": outputs})


def _block(data: dict[str, Any]) -> str:
    return str(yaml.dump(data, Dumper=_Writer, sort_keys=False, default_flow_style=None, width=_WIDTH))


def _line(data: dict[str, Any]) -> str:
    return str(yaml.dump(data, Dumper=_Writer, sort_keys=False, default_flow_style=True, width=1 << 20))
