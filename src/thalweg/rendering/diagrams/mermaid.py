"""A network as a Mermaid flowchart, which wikis and code hosts draw from text."""

from thalweg.core.languages import said
from thalweg.core.layer_cost import Ledger
from thalweg.core.network_spec import NetworkSpec
from thalweg.rendering.diagrams.families import FAMILIES, describe_layer, family_of
from thalweg.rendering.markup import shown

__all__ = ["to_mermaid"]

_SPECIAL = {character: f"#{ord(character)};" for character in '"#<>&[]{}()|`;\\'}


def to_mermaid(spec: NetworkSpec, ledger: Ledger) -> str:
    """Write a network as a Mermaid flowchart, every layer a node, shapes on the arrows.

    Args:
        spec: The network.
        ledger: Its counts.

    Returns:
        Text that begins with `flowchart TD`.

    Example:
        >>> from thalweg.core.network_spec import LayerSpec
        >>> from thalweg.core.shape import Shape
        >>> relu = LayerSpec(name="relu1", kind="relu", inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(3)}, layers=(relu,), outputs=("relu1",))
        >>> print(to_mermaid(spec, Ledger(network="n", input_shapes={}, rows=())))
        flowchart TD
          n0["x<br>input"]:::input
          n1["relu1<br>relu"]:::activation
          n0 -- "3" --> n1
          classDef input stroke:#6b7a80,stroke-width:3px
          classDef activation stroke:#00805e,stroke-width:3px
        <BLANKLINE>
    """
    costs = {row.name: row for row in ledger.rows}
    shapes = {**{name: str(shape) for name, shape in spec.inputs.items()}}
    shapes |= {name: str(row.output_shape) for name, row in costs.items()}
    number = {name: f"n{index}" for index, name in enumerate([*spec.inputs, *(layer.name for layer in spec)])}
    nodes = [f'  {number[name]}["{_quote(name)}<br>{_quote(said("input", "label"))}"]:::input' for name in spec.inputs]
    arrows, families = [], dict.fromkeys(["input"])
    for layer in spec:
        parameters = costs[layer.name].parameters if layer.name in costs else 0
        counted = f"<br>{_quote(said(f'{parameters:,} parameters'))}" if parameters else ""
        family = family_of(layer.kind)
        families[family] = None
        node = f"{_quote(layer.name)}<br>{_quote(describe_layer(layer))}{counted}"
        nodes.append(f'  {number[layer.name]}["{node}"]:::{family}')
        for source in layer.inputs:
            label = f'-- "{_quote(shapes[source])}" -->' if shapes.get(source) else "-->"
            arrows.append(f"  {number[source]} {label} {number[layer.name]}")
    styles = [f"  classDef {family} stroke:{FAMILIES[family][0]},stroke-width:3px" for family in families]
    return "\n".join(["flowchart TD", *nodes, *arrows, *styles, ""])


def _quote(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in shown(text))
