"""Facts of a network: layers found by name, weights told from normalisation, JSON without loss."""

from thalweg.core.codec import from_plain, to_plain
from thalweg.core.network_facts import LayerFacts, NetworkFacts

FACTS = NetworkFacts(
    layers=(
        LayerFacts(name="conv", kind="Conv2d", parameters=10, activation="relu", fresh=True, gain=0.58),
        LayerFacts(name="norm", kind="BatchNorm2d", parameters=4),
        LayerFacts(name="scale", kind="LayerNorm", parameters=4),
        LayerFacts(name="relu", kind="ReLU"),
    ),
    loss="cross_entropy",
    outputs=10,
    weight_decay=0.1,
)


def test_layers_with_weights_are_told_from_normalisations_and_activations():
    assert [layer.name for layer in FACTS.weighted] == ["conv"]
    assert [layer.batch_normalises for layer in FACTS.layers] == [False, True, False, False]


def test_a_layer_is_found_by_name():
    assert FACTS.layer("norm") is FACTS.layers[1]
    assert FACTS.layer("nowhere") is None


def test_facts_survive_json():
    assert from_plain(NetworkFacts, to_plain(FACTS)) == FACTS
