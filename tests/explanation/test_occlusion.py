import pytest
import torch

from thalweg.explanation.cells import cells_over
from thalweg.explanation.occlusion import occlusion


@pytest.mark.parametrize(
    ("extents", "region", "most", "cell"),
    [
        ((1, 32), (slice(0, 1), slice(12, 16)), 8, (3,)),
        ((2, 16, 16), (slice(0, 1), slice(12, 16), slice(4, 8)), 4, (3, 1)),
        ((1, 6, 6, 6), (slice(0, 1), slice(0, 2), slice(4, 6), slice(2, 4)), 3, (0, 2, 1)),
    ],
)
def test_the_one_place_that_a_network_looks_at_is_found(looks_at_one_place, extents, region, most, cell):
    torch.manual_seed(0)
    network = looks_at_one_place(extents, region)
    x = torch.rand(2, *extents)
    x[(slice(None), *region)] += 5
    cells = cells_over(extents[1:], most)
    falls = occlusion(network, x, torch.tensor([1, 0]), cells, batch_size=7)
    assert torch.unravel_index(falls[0].argmax(), falls[0].shape) == cell
    inside = torch.zeros(cells.counts, dtype=torch.bool)
    inside[tuple(slice(max(0, place - 1), place + 2) for place in cell)] = True
    assert (falls[0][~inside] == 0).all()
    assert falls[0].max() > 1
    assert (falls[1] == 0).all()  # the other class does not look at anything


def test_a_patch_is_filled_with_the_mean_of_its_own_channel(looks_at_one_place):
    network = looks_at_one_place((1, 4), (slice(0, 1), slice(0, 1)))
    x = torch.tensor([[[9.0, 1.0, 1.0, 1.0]]])
    falls = occlusion(network, x, torch.tensor([1]), cells_over((4,), 4))
    assert falls[0].tolist() == [6.0, 0.0, 0.0, 0.0]  # 9 less the mean of 3


def test_cells_cover_every_position_once():
    cells = cells_over((7, 10), 3)
    assert cells.counts == (3, 3)
    assert cells.numbers().unique().tolist() == list(range(9))
    assert sum((w[0].stop - w[0].start) * (w[1].stop - w[1].start) for w in cells.windows()) == 70
    assert cells.windows(grown=True)[4] == (slice(1, 6), slice(1, 9))
    assert cells_over((2,), 9).counts == (2,)
