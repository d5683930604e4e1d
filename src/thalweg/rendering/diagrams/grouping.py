"""A network made ready for drawing: boxes of layers that belong together, stages between bottlenecks, folded repeats.

Three steps keep 200 layers readable. A layer that keeps its input's shape and is its only reader (normalisation,
activation, dropout) moves into its source's box. The boxes are cut into stages wherever a single value passes: a
residual block or an inception module is one stage, a plain layer another. Stages that repeat are drawn once, with
their number.
"""

from collections import Counter
from dataclasses import dataclass

from thalweg.core.layer_cost import LayerCost, Ledger
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.rendering.diagrams.families import describe_layer, family_of

__all__ = ["Box", "BoxRow", "Run", "Stage", "group"]

_STAYS = frozenset({"normalisation", "activation"})
_LARGEST_STAGE = 48
_LONGEST_PERIOD = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxRow:
    """One layer in a box, or a summary of several."""

    text: str
    family: str
    parameters: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Layers drawn as one box.

    Args:
        key: Name of the value it gives: its last layer, or a network input.
        rows: Its layers in order.
        sources: Keys of the boxes it reads, in order, each once.
        shape: Shape of the value it gives, such as `64x8x8`.
        output: Whether the network returns this value.
        signature: Equal for boxes that do the same.
    """

    key: str
    rows: tuple[BoxRow, ...]
    sources: tuple[str, ...]
    shape: str
    output: bool = False
    signature: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Boxes between two bottlenecks, in topological order; the last one gives what the next stage reads."""

    boxes: tuple[Box, ...]
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Stages drawn once that stand for `times` of them, one after another."""

    stages: tuple[Stage, ...]
    times: int = 1
    label: str = ""
    parameters: int = 0
    """Parameters of all repeats together."""


def group(spec: NetworkSpec, ledger: Ledger) -> tuple[Run, ...]:
    """Group a network's layers for drawing.

    Args:
        spec: The network.
        ledger: Its counts, a row a layer.

    Returns:
        Runs of stages, from inputs to outputs.

    Example:
        >>> from thalweg.core.shape import Shape
        >>> relu = LayerSpec(name="relu1", kind="relu", inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(3)}, layers=(relu,), outputs=("relu1",))
        >>> [run.stages[0].boxes[0].key for run in group(spec, Ledger(network="n", input_shapes={}, rows=()))]
        ['x', 'relu1']
    """
    costs = {row.name: row for row in ledger.rows}
    boxes = _make_boxes(spec, costs)
    blocks = {layer.name: layer.block for layer in spec}
    stages = [_small_enough(stage, blocks) for stage in _cut(boxes)]
    return _fold(stages)


def _make_boxes(spec: NetworkSpec, costs: dict[str, LayerCost]) -> list[Box]:
    readers = Counter(source for layer in spec for source in layer.inputs)
    groups: list[list[LayerSpec]] = []
    home: dict[str, int] = {}
    for layer in spec:
        source = layer.inputs[0] if len(layer.inputs) == 1 else ""
        stays = family_of(layer.kind) in _STAYS or layer.kind in {"dropout", "identity"}
        if stays and source in home and readers[source] == 1 and source not in spec.outputs:
            home[layer.name] = home[source]
            groups[home[source]].append(layer)
        else:
            home[layer.name] = len(groups)
            groups.append([layer])
    boxes = [
        Box(
            key=members[-1].name,
            rows=tuple(_row(layer, costs.get(layer.name)) for layer in members),
            sources=tuple(dict.fromkeys(members[0].inputs)),
            shape=str(costs[members[-1].name].output_shape) if members[-1].name in costs else "",
            output=members[-1].name in spec.outputs,
            signature=(
                *(_sign(layer) for layer in members),
                costs.get(members[-1].name) and str(costs[members[-1].name].output_shape),
            ),
        )
        for members in groups
    ]
    return _with_inputs(spec, boxes)


def _sign(layer: LayerSpec) -> tuple[object, ...]:
    return (layer.kind, tuple(sorted(layer.settings.items(), key=lambda item: item[0])), layer.shared is not None)


def _row(layer: LayerSpec, cost: LayerCost | None) -> BoxRow:
    text = describe_layer(layer)
    if layer.shared is not None and layer.shared != layer.name:
        text += f", weights of {layer.shared}"
    return BoxRow(text=text, family=family_of(layer.kind), parameters=cost.parameters if cost else 0, name=layer.name)


def _with_inputs(spec: NetworkSpec, boxes: list[Box]) -> list[Box]:
    """Put each input just before its first reader, so that a late input does not stretch over the whole drawing."""
    placed: list[Box] = []
    waiting = dict(spec.inputs)
    for box in boxes:
        late = [name for name in box.sources if name in waiting]
        placed += [_input_box(name, str(waiting.pop(name)), output=name in spec.outputs) for name in late]
        placed.append(box)
    return [*(_input_box(name, str(shape), output=name in spec.outputs) for name, shape in waiting.items()), *placed]


def _input_box(name: str, shape: str, *, output: bool) -> Box:
    row = BoxRow(text="input", family="input", name=name)
    return Box(key=name, rows=(row,), sources=(), shape=shape, output=output, signature=("input", name))


def _cut(boxes: list[Box]) -> list[list[Box]]:
    """Cut behind every box whose value is the only one that anything later reads."""
    place = {box.key: index for index, box in enumerate(boxes)}
    last_read = list(range(len(boxes)))
    for index, box in enumerate(boxes):
        for source in box.sources:
            last_read[place[source]] = index
    stages, current, reach = [], [], -1
    for index, box in enumerate(boxes):
        current.append(box)
        if reach <= index and (last_read[index] > index or index == len(boxes) - 1):
            stages.append(current)
            current = []
        reach = max(reach, last_read[index])
    return [*stages, current] if current else stages


def _small_enough(boxes: list[Box], blocks: dict[str, tuple[str, ...]]) -> Stage:
    names = [row.name for box in boxes for row in box.rows]
    paths = [blocks[name] for name in names if name in blocks]
    shared = _common(paths)
    if len(boxes) <= _LARGEST_STAGE:
        return Stage(boxes=tuple(boxes), blocks=shared)
    kinds = Counter((row.text.split(maxsplit=1)[0].rstrip(","), row.family) for box in boxes for row in box.rows)
    inside = {box.key for box in boxes}
    heading = f"{'/'.join(shared) or 'part'}: {len(names)} layers"
    total = sum(row.parameters for box in boxes for row in box.rows)
    summary = Box(
        key=boxes[-1].key,
        rows=(
            BoxRow(text=heading, family="other", parameters=total, name=f"{names[0]} to {names[-1]}"),
            *(BoxRow(text=f"{count} {kind}", family=family) for (kind, family), count in kinds.most_common(5)),
        ),
        sources=tuple(dict.fromkeys(source for box in boxes for source in box.sources if source not in inside)),
        shape=boxes[-1].shape,
        output=boxes[-1].output,
        signature=tuple(box.signature for box in boxes),
    )
    return Stage(boxes=(summary,), blocks=shared)


def _common(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The blocks that all layers lie in, outermost first."""
    shared: tuple[str, ...] = ()
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        shared = (*shared, parts[0])
    return shared


def _sign_stage(stage: Stage) -> tuple[object, ...]:
    place = {box.key: index for index, box in enumerate(stage.boxes)}
    return tuple(
        (
            box.signature,
            tuple(place.get(source, -1) for source in box.sources),
            box.output,
            tuple(row.parameters for row in box.rows),
        )
        for box in stage.boxes
    )


def _fold(stages: list[Stage]) -> tuple[Run, ...]:
    signs = [_sign_stage(stage) for stage in stages]
    runs, index = [], 0
    while index < len(stages):
        period, times = _longest_repeat(signs, index)
        covered = stages[index : index + period * times]
        parameters = sum(row.parameters for stage in covered for box in stage.boxes for row in box.rows)
        runs.append(
            Run(stages=tuple(covered[:period]), times=times, label=_label(covered, times), parameters=parameters)
        )
        index += period * times
    return tuple(runs)


def _longest_repeat(signs: list[tuple[object, ...]], start: int) -> tuple[int, int]:
    best = (1, 1)
    for period in range(1, min(_LONGEST_PERIOD, (len(signs) - start) // 2) + 1):
        pattern, times = signs[start : start + period], 1
        while signs[start + times * period : start + (times + 1) * period] == pattern:
            times += 1
        if (times - 1) * period > (best[1] - 1) * best[0]:
            best = (period, times)
    return best


def _label(stages: list[Stage], times: int) -> str:
    """Name what repeats by its blocks, or else by its first and last layer."""
    if times == 1:
        return ""
    first = "/".join(stages[0].blocks) or stages[0].boxes[0].rows[0].name
    last = "/".join(stages[-1].blocks) or stages[-1].boxes[-1].rows[-1].name
    parent = first.rpartition("/")[0]
    if parent and parent == last.rpartition("/")[0] and first != last:
        last = last[len(parent) + 1 :]
    return first if first == last else f"{first} to {last}"
