"""A network in DOT, the language of Graphviz, for those who have it."""

from thalweg.core.languages import said
from thalweg.core.layer_cost import Ledger
from thalweg.core.network_spec import NetworkSpec
from thalweg.rendering.diagrams.families import FAMILIES, describe_layer, family_of
from thalweg.rendering.markup import shown

__all__ = ["to_dot"]


def to_dot(spec: NetworkSpec, ledger: Ledger) -> str:
    r"""Write a network as a DOT graph, every layer a node, shapes on the arrows.

    Args:
        spec: The network.
        ledger: Its counts.

    Returns:
        Text that begins with `digraph`.

    Example:
        >>> from thalweg.core.network_spec import LayerSpec
        >>> from thalweg.core.shape import Shape
        >>> relu = LayerSpec(name="relu1", kind="relu", inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(3)}, layers=(relu,), outputs=("relu1",))
        >>> print(to_dot(spec, Ledger(network="n", input_shapes={}, rows=())))
        digraph "n" {
          node [shape=box, style=rounded, fontname="sans-serif"];
          n0 [label="x\ninput", color="#6b7a80"];
          n1 [label="relu1\nrelu", color="#00805e"];
          n0 -> n1 [label="3"];
        }
        <BLANKLINE>
    """
    costs = {row.name: row for row in ledger.rows}
    shapes = {name: str(shape) for name, shape in spec.inputs.items()}
    shapes |= {name: str(row.output_shape) for name, row in costs.items()}
    number = {name: f"n{index}" for index, name in enumerate([*spec.inputs, *(layer.name for layer in spec)])}
    lines = [f'digraph "{_quote(spec.name)}" {{', '  node [shape=box, style=rounded, fontname="sans-serif"];']
    lines += [_node(number[name], (name, said("input", "label")), "input") for name in spec.inputs]
    for layer in spec:
        parameters = costs[layer.name].parameters if layer.name in costs else 0
        counted = (said(f"{parameters:,} parameters"),) if parameters else ()
        lines.append(_node(number[layer.name], (layer.name, describe_layer(layer), *counted), family_of(layer.kind)))
    for layer in spec:
        for source in layer.inputs:
            lines.append(f'  {number[source]} -> {number[layer.name]} [label="{_quote(shapes.get(source, ""))}"];')
    return "\n".join([*lines, "}", ""])


def _node(key: str, words: tuple[str, ...], family: str) -> str:
    label = "\\n".join(map(_quote, words))
    return f'  {key} [label="{label}", color="{FAMILIES[family][0]}"];'


def _quote(text: str) -> str:
    return shown(text).replace("\\", "\\\\").replace('"', '\\"')
