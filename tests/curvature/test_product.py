import pytest
import torch

from thalweg.core.errors import PlanError
from thalweg.curvature.flat import displaced, flatten, unflatten
from thalweg.curvature.product import hessian_product


def test_products_are_those_of_the_full_hessian(network, blobs, pieces, full_hessian):
    module = network()
    losses, weights = pieces(module, *blobs, count=2), list(module.parameters())
    matrix = full_hessian(losses, weights)
    vector = torch.randn(len(matrix), generator=torch.Generator().manual_seed(1))
    for keep in (True, False):
        product = hessian_product(losses, weights, keep_graph=keep)
        torch.testing.assert_close(product(vector).double(), matrix @ vector.double(), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(product(vector), product(vector))


def test_parts_count_by_their_weights(network, blobs, pieces):
    module = network()
    one, other = pieces(module, *blobs, count=2)
    weights = list(module.parameters())
    vector = torch.ones(sum(weight.numel() for weight in weights))
    mixed = hessian_product([one, other], weights, weights=[3, 1])
    alone = [hessian_product(loss, weights) for loss in (one, other)]
    torch.testing.assert_close(mixed(vector), 0.75 * alone[0](vector) + 0.25 * alone[1](vector), rtol=1e-4, atol=1e-6)
    assert mixed.loss() == pytest.approx(0.75 * alone[0].loss() + 0.25 * alone[1].loss())
    torch.testing.assert_close(mixed.gradient(), 0.75 * alone[0].gradient() + 0.25 * alone[1].gradient())


def test_a_loss_that_is_linear_or_does_not_know_a_weight_has_no_curvature_there():
    used, unused = torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True)
    assert hessian_product(lambda: 3 * used.sum(), [used, unused])(torch.ones(3)).tolist() == [0, 0, 0]
    bent = hessian_product(lambda: used.square().sum() + 1, [used, unused])
    assert bent(torch.ones(3)).tolist() == [2, 2, 0]
    assert bent.gradient().tolist() == [2, 2, 0]


def test_halves_share_the_data_out():
    point = torch.tensor([1.0], requires_grad=True)
    product = hessian_product([lambda number=number: number * (point**2).sum() for number in range(4)], [point])
    assert [product.half(number)(torch.ones(1)).item() for number in (0, 1)] == [2, 4]
    alone = hessian_product(lambda: point.square().sum() + 1, [point])
    assert alone.half(1) is alone


def test_displaced_puts_the_weights_back_to_the_bit():
    weights = [torch.rand(3, 2, requires_grad=True), torch.rand(2, requires_grad=True)]
    before = flatten([weight.detach() for weight in weights]).clone()
    step = torch.full((8,), 1e7)
    with displaced(weights, step):
        assert float(weights[0].detach().max()) > 1e6
    assert torch.equal(flatten([weight.detach() for weight in weights]), before)
    assert torch.equal(flatten(unflatten(before, weights)), before)


@pytest.mark.parametrize(
    ("losses", "weights", "shares"),
    [([], [torch.ones(1, requires_grad=True)], None), ([torch.rand], [torch.ones(1)], None)],
)
def test_nothing_to_differentiate_is_refused(losses, weights, shares):
    with pytest.raises(PlanError, match="a Hessian needs"):
        hessian_product(losses, weights, weights=shares)
