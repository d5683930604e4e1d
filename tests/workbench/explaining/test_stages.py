"""Stages are found by resolution and forgotten from the answer down; a map's layer is fine enough to point."""

import pytest

from thalweg.core.shape import Shape
from thalweg.networks.catalogue import network
from thalweg.workbench.explaining.stages import forgetting, map_layer, places_of


@pytest.mark.parametrize(
    ("name", "side", "extents"),
    [
        ("small", 96, [48, 24, 12, 6, 3]),
        ("resnet18", 224, [112, 56, 28, 14, 7]),
        ("vgg16", 224, [224, 224, 112, 56, 28, 14]),
        ("plain", 128, [128, 64, 32]),
    ],
)
def test_stages_by_resolution(name, side, extents):
    places = places_of(network(name, Shape(3, (side, side)), 2))
    assert [place.extents[0] for place in places] == extents
    assert [place.number for place in places] == list(range(len(extents)))


def test_the_layer_of_the_maps_has_places_left():
    spec = network("small", Shape(3, (96, 96)), 2)
    places = places_of(spec)
    assert map_layer(spec, places, None) == places[-2].layer  # 6 x 6; the last has 3 x 3
    assert map_layer(spec, (), None) is None


def test_everything_is_forgotten_once_from_the_answer_down():
    spec = network("small", Shape(3, (32, 32)), 2)
    weighted = [layer.name for layer in spec.layers if layer.kind in {"conv2d", "batch_norm", "linear"}]
    groups = forgetting(spec, places_of(spec), weighted)
    names = [name for group in groups.values() for name in group]
    assert sorted(names) == sorted(weighted)
    assert next(iter(groups)) == "the classifier"
    assert list(groups)[-1] == "stage 0"
    assert groups["stage 0"] == weighted[: len(groups["stage 0"])]
