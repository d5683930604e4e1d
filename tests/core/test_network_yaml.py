import pytest

from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.network_yaml import spec_to_yaml
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import network
from thalweg.workbench.describing.spec_files import read_spec_file


def read(text, folder):
    path = folder / "network.yaml"
    path.write_text(text, encoding="utf-8")
    return read_spec_file(path)


@pytest.mark.parametrize("name", ["lenet", "small", "plain", "resnet18"])
def test_what_is_written_is_read_back_the_same(name, tmp_path):
    spec = network(name, Shape(3, (96, 96)), 5)
    assert read(spec_to_yaml(spec), tmp_path) == spec


@pytest.mark.parametrize("name", ["no", "3", "a: b", "- x", "*x", "schön", "1e3", "null", "{", "#", " a "])
def test_names_that_mean_something_in_yaml_stay_names(name, tmp_path):
    layer = LayerSpec(name=name, kind="pad", settings={"padding": ((1, 2),)}, inputs=("y",), block=("true",))
    spec = NetworkSpec(name=name, inputs={"y": Shape(3, (8,))}, layers=(layer,), outputs=(name,))
    text = spec_to_yaml(spec)
    assert text.isascii()
    assert read(text, tmp_path) == spec


def test_repeated_lists_are_written_out():
    pads = ((1, 1), (1, 1))
    layers = tuple(LayerSpec(name=n, kind="pad", settings={"padding": pads}, inputs=("x",)) for n in "ab")
    text = spec_to_yaml(NetworkSpec(name="n", inputs={"x": Shape(3, (8, 8))}, layers=layers, outputs=("a", "b")))
    assert "&" not in text
    assert text.count("[[1, 1], [1, 1]]") == 2
