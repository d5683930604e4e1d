import pytest

from thalweg.accounting.ledger import count
from thalweg.core.errors import ShapeError, UncountedLayerError
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import network
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Concatenate, Conv1d, Conv2d, Dense, Flatten, MaxPool1d, MaxPool2d, ReLU
from thalweg.networks.sequential import Sequential


def one_dimensional(extent=505, padding="valid"):
    layers = [Input(3, extent)]
    for filters, kernel in ((16, 7), (32, 5), (64, 5)):
        layers += [Conv1d(filters, kernel, padding=padding), MaxPool1d(2)]
    return Sequential([*layers, Flatten(), Dense(128), Dense(5)])


def test_the_one_dimensional_example_of_the_course():
    ledger = count(one_dimensional())
    counted = {row.name: row.parameters for row in ledger.rows if row.parameters}
    assert counted == {"conv1": 352, "conv2": 2_592, "conv3": 10_304, "dense1": 483_456, "dense2": 645}
    assert ledger.parameters == 497_349
    assert next(row for row in ledger.rows if row.kind == "flatten").input_shapes == (Shape(64, (59,)),)
    assert ledger.rows[0].formula == "(3*7 + 1)*16 = 352"


def test_pointwise_convolution_keeps_the_picture():
    x = Input(3, 4, 4)
    row = count(Network(x, Conv2d(3, 1)(x))).rows[0]
    assert (row.parameters, row.output_shape) == (12, Shape(3, (4, 4)))
    assert row.macs == 3 * 3 * 16


def inception(x):
    def part(value, filters, kernel):
        return BatchNorm()(ReLU()(Conv2d(filters, kernel, padding="same")(value)))

    branches = [
        part(x, 16, 1),
        part(part(x, 16, 1), 32, 3),
        part(part(x, 16, 1), 32, 5),
        part(MaxPool2d(3, stride=1, padding="same")(x), 16, 1),
    ]
    return Concatenate()(*branches)


def test_the_inception_module():
    x = Input(64, 32, 32)
    ledger = count(Network(x, inception(x)))
    assert ledger.rows[-1].output_shape == Shape(96, (32, 32))
    weights = sum(row.parameters for row in ledger.rows if row.kind == "conv2d")
    normalisation = sum(row.parameters for row in ledger.rows if row.kind == "batch_norm")
    assert (weights, normalisation, ledger.buffers) == (21_632, 256, 256)
    assert ledger.rows[-1].receptive_field == (5, 5)  # the largest branch


def test_shared_weights_count_once_and_their_work_twice():
    x = Input(3, 8, 8)
    conv = Conv2d(3, 3, padding=1)
    first, second = count(Network(x, conv(conv(x)))).rows
    assert (first.parameters, second.parameters) == (84, 0)
    assert first.macs == second.macs == 3 * 9 * 3 * 64
    assert second.formula == "weights of conv1"


def test_an_unknown_kind_is_named_and_never_nought():
    layer = LayerSpec(name="odd", kind="fourier", inputs=("x",))
    spec = NetworkSpec(name="n", inputs={"x": Shape(3, (4, 4))}, layers=(layer,), outputs=("odd",))
    with pytest.raises(UncountedLayerError, match=r"'odd'.*'fourier'"):
        count(spec)


def test_a_row_tells_shape_memory_and_stride():
    x = Input(3, 32, 32)
    rows = count(Network(x, Conv2d(4, 3)(MaxPool2d(2)(x)))).rows
    assert rows[1].activation_bytes == 4 * 14 * 14 * 4
    assert (rows[1].receptive_field, rows[1].stride) == ((6, 6), (2, 2))
    assert rows[1].input_shapes == (Shape(3, (16, 16)),)


def test_a_network_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="'conv3'"):
        count(one_dimensional(extent=20))


def test_frozen_layers_and_blocks_are_not_trained():
    spec = network("resnet18", Shape(3, (64, 64)), 1000)
    whole, head_only = count(spec), count(spec, frozen={"conv1", "bn1", "layer1", "layer2", "layer3", "layer4"})
    assert whole.trainable_parameters == whole.parameters == head_only.parameters
    assert head_only.trainable_parameters == 512 * 1000 + 1000
    assert count(spec, frozen={"layer"}).trainable_parameters == whole.parameters  # a name is not a prefix of letters


def test_a_followed_module_says_that_one_way_was_seen_and_what_is_unknown():
    known = LayerSpec(name="a", kind="step", settings={"what": "roll", "output_shape": (3, 8)}, inputs=("x",))
    unknown = LayerSpec(
        name="b", kind="opaque", settings={"what": "fft", "output_shape": 5, "parameters": 7}, inputs=("a",)
    )
    spec = NetworkSpec(name="n", inputs={"x": Shape(3, (8,))}, layers=(known, unknown), outputs=("b",))
    ledger = count(spec)
    assert [(row.macs, row.parameters, row.receptive_field) for row in ledger.rows] == [(0, 0, (8,)), (None, 7, ())]
    assert (ledger.macs, ledger.parameters, ledger.rows[1].output_shape) == (None, 7, Shape(5))
    assert "one way through its control flow" in ledger.convention
    assert "one way" not in count(NetworkSpec(name="n", inputs=spec.inputs, layers=(), outputs=("x",))).convention
