import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.accounting.ledger import count
from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.shape import Shape
from thalweg.networks.inline import inline_network, is_inline

COURSE = "conv1d(16,7) maxpool1d(2) conv1d(32,5) maxpool1d(2) conv1d(64,5) maxpool1d(2) flatten dense(128) dense(5)"


def test_the_one_dimensional_example_of_the_course():
    assert count(inline_network(COURSE, Shape(3, (505,)))).parameters == 497_349


def test_spellings_and_arguments():
    text = "Conv2d(8, (3,3), padding=same, bias=false) batch_norm2d max-pool2d(2) GlobalAvgPool, linear(out_features=5)"
    spec = inline_network(text, Shape(3, (8, 8)))
    assert [layer.kind for layer in spec] == ["conv2d", "batch_norm", "max_pool2d", "global_avg_pool", "linear"]
    assert dict(spec.layers[0].settings) == {
        "out_channels": 8,
        "kernel_size": (3, 3),
        "padding": "same",
        "bias": False,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the list of layers is empty"),
        ("conv1d(16,7) rellu", "layer 2: 'rellu' is no layer; did you mean relu"),
        ("MaxPooling1D(2)", "here it is written maxpool1d\\(2\\)"),
        ("SeparableConv2D(64,3)", "here it is written conv2d\\(3, 3, groups=3"),
        ("conv1d(16,7,strides=2)", "argument 'strides' is called stride here"),
        ("conv1d(16,7,activation=elu)", "a layer of its own here: write conv1d"),
        ("wizard(3)", "layer 1: 'wizard' is no layer"),
        ("conv1d(16", "the bracket of 'conv1d' is never closed"),
        ("conv1d(16,7))", "closes that was never opened"),
        ("conv1d(16)", r"layer 1 \(conv1d\): argument 'kernel_size' is missing"),
        ("conv1d(16,7,kernel_size=3)", "'kernel_size' is given twice"),
        ("conv1d(16,7,size=3)", "'size' is unknown; known are out_channels, kernel_size"),
        ("relu(1)", "1 arguments; it takes 0"),
        ("conv1d(16,7*2)", "an argument is no number"),
        ("conv1d(16,open('x'))", "an argument is no number"),
        ("conv1d(16,,7)", "arguments are not understood"),
        ("conv1d(16,7)(3)", "one pair of brackets"),
        ("conv1d(**x)", "stars mean nothing"),
        ("conv1d(-16,7)", r"layer 'conv1' \(conv1d\).*out_channels is -16"),
        ("conv1d(16,700)", "reaches over 700 positions"),
        ("conv1d(16,'7')", "kernel_size is '7'"),
        ("relu " * 10_000, "characters; at most"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, words):
    with pytest.raises(SpecError, match=words):
        inline_network(text, Shape(3, (505,)))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet="convrelu12d(),.=*'[]{}\\ -\n", max_size=40))
def test_any_text_is_a_network_or_one_clear_error(text):
    said, spec = "", None
    try:
        spec = inline_network(text, Shape(3, (505,)))
    except SpecError as error:
        said = str(error)
    assert (spec is None and len(said.splitlines()) == 1) or spec.layers


def test_names_are_told_from_lists():
    assert is_inline("conv1d(16,7)")
    assert is_inline("flatten dense(3)")
    assert not is_inline("small")
    assert not is_inline("my models/net.yaml")


@pytest.mark.parametrize(
    ("sizes", "meant"),
    [((28, 28), "1,28,28"), ((1, 1, 28, 28), "1,28,28"), ((32, 28, 28, 3), "3,28,28"), ((28, 28, 3), "3,28,28")],
)
def test_an_input_as_others_write_it_is_told(sizes, meant):
    with pytest.raises(ShapeError, match=f"channels first, such as {meant}$"):
        inline_network("conv2d(6,5) relu maxpool2d(2)", Shape(sizes[0], sizes[1:]))


def test_an_input_that_is_merely_too_small_is_told_as_it_is():
    with pytest.raises(ShapeError, match=r"the padded axis has only 2; a smaller kernel"):
        inline_network("conv2d(6,5)", Shape(3, (32, 2)))
