import pytest

import thalweg
from thalweg.core.dependence import Dependence
from thalweg.core.derivation import Derivation
from thalweg.core.errors import PlanError
from thalweg.core.shape import Shape
from thalweg.networks.inline import inline_network


def test_a_convolution_a_layer_and_a_file_are_told_apart(tmp_path):
    assert isinstance(thalweg.derive("conv1d", x=[1, 2, 3], f=["1/2", 1]), Derivation)
    spec = inline_network("conv2d(2,3)", Shape(3, (8, 8)))
    assert isinstance(thalweg.derive(spec, layer="conv1", at=(1, 0, 0)), Dependence)
    (tmp_path / "case.yaml").write_text("x: [1, 2, 3]\nf: [0.1, 1]\nkind: conv1d\nhead: sum\n")
    found = thalweg.derive(tmp_path / "case.yaml")
    assert found.y == ("21/10", "16/5")


def test_a_network_file_with_a_layer_is_a_network(tmp_path):
    from thalweg.core.codec import dumps
    from thalweg.core.network_plain import spec_to_plain

    path = tmp_path / "network.json"
    path.write_text(dumps(spec_to_plain(inline_network("conv2d(2,3)", Shape(3, (8, 8))))))
    assert thalweg.derive(str(path), layer="conv1", at="0,0,0").products == 27


@pytest.mark.parametrize(
    ("what", "options", "told"),
    [
        (None, {}, "--x is missing"),
        ("conv2d", {"x": "3x3", "f": "2x2", "classes": 3}, "--classes goes with --layer"),
        ("lenet", {"layer": "conv1", "head": "mean"}, "--head goes with a convolution"),
        ("conv2d(3,3)", {"x": "3x3", "f": "2x2"}, "with --layer"),
        ("conv2d", {"x": "3x3", "f": "2x2", "prove": "maybe"}, "true or false is wanted"),
    ],
)
def test_options_of_the_other_use_are_refused(what, options, told):
    with pytest.raises(PlanError, match=told):
        thalweg.derive(what, **options)


def test_a_bias_may_be_a_list():
    assert thalweg.derive("conv1d", x="3", f="2", bias=[5]).y[0] == "x1*f1 + x2*f2 + 5"
