import pytest

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds import LAYER_KINDS, complete_settings, layer_kind, output_shape, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape


def layer(kind, *inputs, name="it", **said):
    return LayerSpec(name=name, kind=kind, settings=said, inputs=inputs or ("x",))


def test_inputs_are_among_the_shapes():
    spec = NetworkSpec(name="n", inputs={"x": Shape(3, (8,))}, layers=(layer("relu"),), outputs=("it",))
    assert output_shapes(spec) == {"x": Shape(3, (8,)), "it": Shape(3, (8,))}


def test_defaults_are_added_in_the_order_of_the_kind():
    complete = complete_settings(layer("conv2d", kernel_size=3, out_channels=4))
    assert list(complete) == ["out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"]
    assert complete["bias"] is True


def test_a_missing_setting_is_named_with_the_layer():
    with pytest.raises(SpecError, match=r"layer 'it' \(conv2d\): setting 'kernel_size' is missing"):
        complete_settings(layer("conv2d", out_channels=4))


def test_an_unknown_setting_is_answered_with_the_known():
    with pytest.raises(SpecError, match="unknown setting 'size'; max_pool1d knows kernel_size, stride, padding"):
        complete_settings(layer("max_pool1d", size=2))


def test_an_unknown_kind_is_answered_with_near_ones():
    with pytest.raises(SpecError, match="unknown layer kind 'batchnorm'; did you mean batch_norm"):
        layer_kind("batchnorm")


@pytest.mark.parametrize(
    ("kind", "said", "shapes", "out"),
    [
        ("flatten", {}, [Shape(64, (8, 2))], Shape(1024)),
        ("global_max_pool", {}, [Shape(64, (8, 2))], Shape(64)),
        ("adaptive_avg_pool2d", {"output_size": (3, 1)}, [Shape(5, (8, 2))], Shape(5, (3, 1))),
        ("upsample", {"scale_factor": (2, 3)}, [Shape(5, (8, 2))], Shape(5, (16, 6))),
        ("subsample", {"stride": 2}, [Shape(5, (7, 8))], Shape(5, (4, 4))),
        ("pad", {"padding": ((1, 0), (2, 2)), "channels": (3, 4)}, [Shape(5, (7, 8))], Shape(12, (8, 12))),
        ("concatenate", {}, [Shape(5, (7,)), Shape(1, (7,))], Shape(6, (7,))),
        ("multiply", {}, [Shape(5, (7,)), Shape(5, (1,))], Shape(5, (7,))),
        ("conv_transpose2d", {"out_channels": 2, "kernel_size": 2, "stride": 2}, [Shape(5, (7, 3))], Shape(2, (14, 6))),
        ("max_pool2d", {"kernel_size": 3, "stride": 2, "ceil_mode": True}, [Shape(1, (112, 112))], Shape(1, (56, 56))),
    ],
)
def test_shapes_follow_their_definition(kind, said, shapes, out):
    names = tuple(f"x{number}" for number in range(len(shapes)))
    assert output_shape(layer(kind, *names, **said), tuple(shapes)) == out


@pytest.mark.parametrize(
    ("kind", "said", "shapes", "words"),
    [
        ("add", {}, [Shape(5, (7,)), Shape(5, (6,))], r"'x0' \(5x7\), 'x1' \(5x6\): the shapes it reads differ"),
        ("add", {}, [Shape(5)], "reads 1 values; 2 or more wanted"),
        ("relu", {}, [Shape(5), Shape(5)], "reads 2 values; 1 wanted"),
        ("concatenate", {}, [Shape(5, (7,)), Shape(5)], "spatial sizes it reads differ"),
        ("multiply", {}, [Shape(5, (7,)), Shape(4, (1,))], "none is a gate"),
        ("group_norm", {"num_groups": 3}, [Shape(5, (7,))], "5 channels cannot be split into 3 groups"),
        ("rescale", {"scale": (1.0, 2.0)}, [Shape(3, (7,))], "scale has 2 numbers for 3 channels"),
        ("global_avg_pool", {}, [Shape(3)], "no spatial axis to pool over"),
        ("upsample", {"scale_factor": 2}, [Shape(3)], "no spatial axis"),
        ("upsample", {"scale_factor": (2, 2)}, [Shape(3, (4,))], "2 numbers for 1 spatial axes"),
        ("pad", {"padding": "same"}, [Shape(3, (4,))], "means nothing without a window"),
        ("pad", {"padding": ((1, 1), (1, 1))}, [Shape(3, (4,))], "2 pairs for 1 spatial axes"),
        ("max_pool1d", {"kernel_size": 3, "padding": 2}, [Shape(3, (8,))], "more than half of the window"),
        ("dropout", {"p": 1.0}, [Shape(3)], "p is 1.0; a number from 0"),
        (
            "conv1d",
            {"out_channels": 4, "kernel_size": 3},
            [Shape(3, (2,))],
            "over 3 positions, the padded axis has only 2",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_its_numbers(kind, said, shapes, words):
    names = tuple(f"x{number}" for number in range(len(shapes)))
    with pytest.raises(SpecError, match=words):
        output_shape(layer(kind, *names, **said), tuple(shapes))


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_a_layer_that_reads_nothing_is_refused(kind):
    numbers = {"out_channels": 1, "kernel_size": 1, "out_features": 1, "output_size": 1, "num_groups": 1}
    numbers |= {"scale_factor": 1, "stride": 1, "output_shape": 1, "macs": 1, "what": "roll"}
    numbers |= {"size": 1, "groups": 1, "upscale_factor": 1}
    said = {name: numbers[name] for name in LAYER_KINDS[kind].settings if name in numbers}
    with pytest.raises(SpecError, match="reads 0 values"):
        output_shape(LayerSpec(name="it", kind=kind, settings=said), ())


def shared(first, second):
    layers = (first, second)
    return NetworkSpec(name="n", inputs={"x": Shape(3, (8,))}, layers=layers, outputs=("b",))


def conv(name, source, share=None, **said):
    words = {"out_channels": 3, "kernel_size": 1, **said}
    return LayerSpec(name=name, kind="conv1d", settings=words, inputs=(source,), shared=share)


def test_sharing_is_checked():
    assert output_shapes(shared(conv("a", "x"), conv("b", "a", "a")))["b"] == Shape(3, (8,))
    with pytest.raises(SpecError, match=r"'b' .*whose settings differ"):
        output_shapes(shared(conv("a", "x"), conv("b", "a", "a", stride=2)))
    with pytest.raises(ShapeError, match=r"'b' .*reads 'a' \(4x8\) where 'a' reads 'x' \(3x8\)"):
        output_shapes(shared(conv("a", "x", out_channels=4), conv("b", "a", "a", out_channels=4)))
    with pytest.raises(SpecError, match=r"'b' .*no earlier layer with its own weights"):
        output_shapes(shared(conv("a", "x"), conv("b", "a", "b")))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"what": "", "output_shape": 3}, "what is ''; a printable text of 1 to 80 letters"),
        ({"what": "a\nb", "output_shape": 3}, "a printable text"),
        ({"what": "roll", "output_shape": (3, 0)}, "output_shape is"),
        ({"what": "roll", "output_shape": 3, "parameters": -1}, "parameters is -1; a whole number from 0"),
        ({"what": "roll"}, "'output_shape' is missing"),
        ({"what": "roll", "output_shape": (1, 2, 3, 4, 5)}, "4 spatial axes"),
    ],
)
def test_a_recorded_step_is_checked_too(said, words):
    with pytest.raises(SpecError, match=words):
        output_shape(layer("step", **said), (Shape(3),))
