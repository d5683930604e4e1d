from thalweg.core.codec import to_plain
from thalweg.core.layer_cost import LayerCost, Ledger
from thalweg.core.network_results import CountResult, CountTotal, DrawResult
from thalweg.core.shape import Shape


def test_a_count_leaves_as_the_interface_says():
    row = LayerCost(name="a", kind="conv1d", input_shapes=(Shape(3, (8,)),), output_shape=Shape(4, (6,)), parameters=40)
    total = CountTotal(
        parameters=40, trainable_parameters=40, buffers=0, macs=None, activation_bytes_inference=1,
        activation_bytes_training=2, receptive_field=(3,),
    )  # fmt: skip
    ledger = Ledger(network="n", input_shapes={"x": Shape(3, (8,)), "y": Shape(2)}, rows=(row,))
    plain = to_plain(CountResult(ledger=ledger, total=total, note="told").to_json())
    assert list(plain) == ["convention", "input", "layers", "total", "solved"]
    assert plain["input"] == {"x": [3, 8], "y": [2]}
    assert list(plain["layers"][0]) == [
        "name", "kind", "output_shape", "parameters", "buffers", "trainable", "formula", "macs", "activation_bytes",
        "receptive_field", "stride",
    ]  # fmt: skip
    assert plain["layers"][0]["output_shape"] == [4, 6]
    assert plain["total"]["macs"] is None


def test_a_drawing_is_its_text():
    drawn = DrawResult(network="n", input=[3], format="dot", drawing="digraph {}")
    assert str(drawn) == "digraph {}"
    assert drawn._repr_svg_() is None
