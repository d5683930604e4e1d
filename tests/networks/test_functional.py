import pytest

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.shape import Shape
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, BatchNorm, Concatenate, Conv1d, Conv2d, Dense, Flatten, Multiply, ReLU
from thalweg.networks.writing import block


def test_names_count_up_as_keras_does():
    x = Input(3, 8, 8)
    y = BatchNorm()(Conv2d(4, 3)(ReLU()(BatchNorm()(Conv2d(4, 3)(x)))))
    assert [layer.name for layer in Network(x, y)] == ["conv1", "batch_norm1", "relu1", "conv2", "batch_norm2"]


def test_an_automatic_name_steps_aside_for_a_given_one():
    x = Input(3, 8, 8)
    y = Conv2d(4, 3)(Conv2d(4, 3, name="conv1")(x))
    assert [layer.name for layer in Network(x, y)] == ["conv1", "conv2"]


def test_several_inputs_and_outputs():
    a, b = Input(3, 8, 8), Input(2, 8, 8, name="depth")
    both = Concatenate()(a, b)
    spec = Network([a, b], [both, Conv2d(1, 1)(both)])
    assert list(spec.inputs) == ["input1", "depth"]
    assert spec.outputs == ("concatenate1", "conv1")
    assert output_shapes(spec)["concatenate1"] == Shape(5, (8, 8))


def test_a_layer_called_twice_shares_its_weights():
    a, b = Input(3, 8), Input(3, 8)
    tower = Conv1d(4, 3)
    spec = Network([a, b], Multiply()(tower(a), tower(b)))
    assert [(layer.name, layer.shared) for layer in spec] == [
        ("conv1", None),
        ("conv1_2", "conv1"),
        ("multiply1", None),
    ]


def test_a_layer_without_weights_may_be_called_twice_and_shares_nothing():
    x = Input(3, 8)
    relu = ReLU()
    assert [(layer.name, layer.shared) for layer in Network(x, relu(Conv1d(3, 1)(relu(x))))] == [
        ("relu1", None),
        ("conv1", None),
        ("relu2", None),
    ]


def test_sharing_with_other_channels_is_refused_with_both_layers():
    x = Input(3, 8)
    conv = Conv1d(4, 1)
    with pytest.raises(ShapeError, match=r"'conv1_2'.*'conv1' \(4x8\).*'conv1' reads 'input' \(3x8\)"):
        Network(x, conv(conv(x)))


def test_a_clash_names_both_layers_and_shapes():
    x = Input(3, 32, 32)
    a, b = Conv2d(16, 1)(x), Conv2d(16, 3)(x)
    with pytest.raises(ShapeError, match=r"'add1' \(add\) after 'conv1' \(16x32x32\), 'conv2' \(16x30x30\)"):
        Network(x, Add()(a, b))


def test_a_window_wider_than_its_input_is_refused_with_the_numbers():
    x = Input(3, 4)
    with pytest.raises(ShapeError, match=r"'conv1' \(conv1d\).*3x4.*reaches over 7 positions.* only 4"):
        Network(x, Conv1d(2, 7)(x))


def test_a_wrong_rank_is_refused():
    x = Input(3, 32)
    with pytest.raises(ShapeError, match=r"'conv1' \(conv2d\).*3x32, which has 1 spatial axes; 2 wanted"):
        Network(x, Conv2d(2, 3)(x))


def test_dense_on_a_map_says_what_is_missing():
    x = Input(3, 4, 4)
    with pytest.raises(ShapeError, match=r"'dense1' \(linear\).*put flatten or global pooling"):
        Network(x, Dense(2)(x))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Conv2d(-4, 3), "out_channels is -4; a whole number from 1"),
        (Conv2d(4, 0), "kernel_size is 0"),
        (Conv2d(4, (3, 3, 3)), r"kernel_size is \(3, 3, 3\)"),
        (Conv2d(4, 3, padding="full"), "padding is 'full'"),
        (Conv2d(4, 3, stride=True), "stride is True"),
        (Conv2d(4, 3, groups=2), "3 input channels cannot be split into 2 groups"),
        (Conv2d(4, 3, bias=1), "bias is 1; True or False"),
        (BatchNorm(eps=float("nan")), "eps is nan"),
    ],
)
def test_bad_settings_name_the_layer_and_the_number(layer, words):
    x = Input(3, 8, 8)
    with pytest.raises(SpecError, match=rf"layer '\w+1'.*{words}"):
        Network(x, layer(x))


def test_an_input_that_is_not_given_is_missed():
    x, other = Input(3, 8), Input(4, 8)
    with pytest.raises(SpecError, match="depends on an input of shape 4x8"):
        Network(x, Concatenate()(x, other))


def test_a_layer_is_called_on_values_only():
    with pytest.raises(SpecError, match="Conv1d was called on 5"):
        Conv1d(4, 3)(5)


def test_nested_blocks_become_prefixes_with_names_of_their_own():
    x = Input(3, 8)
    with block("stage1"):
        y = Conv1d(4, 1)(x)
        with block("inner"):
            y = Conv1d(4, 1, name="last")(Conv1d(4, 1)(y))
    spec = Network(x, Flatten()(y))
    assert [layer.name for layer in spec] == ["stage1.conv1", "stage1.inner.conv1", "stage1.inner.last", "flatten1"]
    assert spec.layer("stage1.inner.last").block == ("stage1", "inner")


def test_a_network_deeper_than_pythons_recursion():
    x = y = Input(1, 4)
    for _ in range(3000):
        y = ReLU()(y)
    assert len(Network(x, y).layers) == 3000


@pytest.mark.parametrize("name", ["", "a.b"])
def test_a_block_needs_a_word(name):
    with pytest.raises(SpecError, match="a word without dots"), block(name):
        pass
