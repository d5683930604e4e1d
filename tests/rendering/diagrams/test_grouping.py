from thalweg.core.layer_cost import Ledger
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.rendering.diagrams.grouping import group


def drawn(spec, ledger):
    return [box for run in group(spec, ledger) for stage in run.stages for box in stage.boxes]


def test_no_layer_is_lost_or_drawn_twice(networks):
    for name, (spec, ledger) in networks.items():
        total = sum(
            run.times * len(box.rows) for run in group(spec, ledger) for stage in run.stages for box in stage.boxes
        )
        assert total == len(spec.layers) + len(spec.inputs), name
        runs = group(spec, ledger)
        assert sum(run.parameters for run in runs) == ledger.parameters, name


def test_an_activation_moves_into_its_source_unless_another_reads_that_too(networks):
    boxes = drawn(*networks["chain"])
    assert [tuple(row.name for row in box.rows) for box in boxes][1:3] == [("conv1", "relu1"), ("conv2", "relu2")]
    both = (
        LayerSpec(name="conv1", kind="conv1d", inputs=("x",), settings={"out_channels": 2, "kernel_size": 1}),
        LayerSpec(name="relu1", kind="relu", inputs=("conv1",)),
        LayerSpec(name="add1", kind="add", inputs=("conv1", "relu1")),
    )
    spec = NetworkSpec(name="n", inputs={"x": Shape(2, (4,))}, layers=both, outputs=("add1",))
    assert [box.key for box in drawn(spec, Ledger(network="n", input_shapes={}, rows=()))] == [
        "x", "conv1", "relu1", "add1",
    ]  # fmt: skip


def test_equal_neighbours_are_folded_and_the_odd_one_is_not(networks):
    runs = group(*networks["long"])
    assert [run.times for run in runs] == [1, 1, 100, 1, 1]
    assert runs[2].label == "conv2 to relu101"


def test_equal_blocks_are_folded_under_their_name(networks):
    runs = group(*networks["residual"])
    assert [run.times for run in runs] == [1, 1, 5, 1]  # the last one is the output, and so not the same
    assert runs[2].label == "body/0 to 4"
    assert len(runs[2].stages[0].boxes) == 3


def test_blocks_that_differ_in_one_number_stay_apart(networks, counted):
    spec, _ = networks["residual"]
    layers = tuple(
        type(layer)(
            name=layer.name, kind=layer.kind, inputs=layer.inputs, block=layer.block,
            settings={**layer.settings, **({"kernel_size": 5} if layer.name == "body.1.conv2" else {})},
        )
        for layer in spec
    )  # fmt: skip
    changed = NetworkSpec(name="changed", inputs=spec.inputs, layers=layers, outputs=spec.outputs)
    assert [run.times for run in group(changed, counted(changed))] == [1, 1, 1, 1, 3, 1]


def test_a_stage_ends_where_one_value_passes(networks):
    stages = [stage for run in group(*networks["ends"]) for stage in run.stages]
    assert [[box.key for box in stage.boxes] for stage in stages][:3] == [
        ["photo"], ["conv1"], ["pool1"],
    ]  # fmt: skip
    assert [box.key for box in stages[3].boxes] == ["table", "dense1", "join"]


def test_a_part_too_large_to_draw_is_summed_up(networks, counted):
    spec, _ = networks["wide"]
    layers = []
    for copy in range(4):
        for layer in spec:
            if layer.name.startswith("b"):
                inputs = tuple(s if s == "x" else f"{copy}{s}" for s in layer.inputs)
                layers.append(
                    type(layer)(name=f"{copy}{layer.name}", kind=layer.kind, inputs=inputs, settings=layer.settings)
                )
    read = {source for layer in layers for source in layer.inputs}
    ends = tuple(layer.name for layer in layers if layer.name not in read)
    layers.append(type(layers[0])(name="join", kind="concatenate", inputs=ends))
    big = NetworkSpec(name="big", inputs={"x": Shape(3, (8, 8))}, layers=tuple(layers), outputs=("join",))
    ledger = counted(big)
    boxes = drawn(big, ledger)
    assert len(boxes) == 2
    assert boxes[1].rows[0].parameters == ledger.parameters
    assert [row.text for row in boxes[1].rows] == ["part: 69 layers", "68 conv2d", "1 concatenate"]
