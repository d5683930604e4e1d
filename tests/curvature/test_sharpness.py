import math

import pytest
import torch

from thalweg.core.errors import PlanError
from thalweg.curvature.lanczos import extreme_eigenvalues
from thalweg.curvature.product import hessian_product
from thalweg.curvature.sharpness import adam_scale, along_update, preconditioned, sharpness_along, stable_limit

BENDS = torch.tensor([100.0, 1.0, 0.25])


def bowl(*, start=(1.0, 1.0, 1.0)):
    point = torch.tensor(start, requires_grad=True)
    return point, lambda: 0.5 * (BENDS * point**2).sum()


def test_the_critical_length_brings_the_loss_back_where_it_was():
    point, loss = bowl()
    update = -0.01 * torch.tensor([1.0, 2.0, 3.0])
    found = along_update(hessian_product(loss, [point]), update)
    with torch.no_grad():
        before = loss()
        point += found.critical * update
        assert loss() == pytest.approx(float(before), rel=1e-4)
    assert found.sharpness == pytest.approx(float((BENDS * update**2).sum() / (update**2).sum()), rel=1e-5)


def test_nothing_bends_up_no_critical_length():
    point = torch.ones(2, requires_grad=True)
    product = hessian_product(lambda: -(point**2).sum(), [point])
    assert along_update(product, torch.ones(2)).critical == math.inf
    with pytest.raises(PlanError, match="length zero"):
        sharpness_along(product, torch.zeros(2))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("Adam", {}), ("AdamW", {"betas": (0.8, 0.99)}), ("Adam", {"amsgrad": True}), ("RMSprop", {}), ("Adagrad", {})],
)
def test_the_scale_is_the_one_the_optimizer_divides_by(kind, options):
    """With the gradient held constant, the first moment's correction makes every step rate * g / (sqrt(v) + eps)."""
    point, loss = bowl()
    extra = {"weight_decay": 0.0} if kind == "AdamW" else {}
    optimizer = getattr(torch.optim, kind)([point], lr=1e-12, **options, **extra)
    point.grad = torch.autograd.grad(loss(), point)[0]
    for _ in range(3):
        optimizer.step()
    scale = adam_scale(optimizer, [point])
    state = optimizer.state[point]
    first = state.get("exp_avg", point.grad)
    before = point.detach().double().clone()
    for group in optimizer.param_groups:
        group["lr"] = 1.0
    betas = optimizer.param_groups[0].get("betas")
    optimizer.step()
    moved = before - point.detach()
    again = adam_scale(optimizer, [point])
    step = optimizer.state[point].get("exp_avg", point.grad) / again
    assert moved.tolist() == pytest.approx(step.tolist(), rel=1e-4)
    assert (betas is None) == (first is point.grad)
    assert bool((scale > 0).all())


def test_adam_feels_its_own_curvature():
    point, loss = bowl()
    optimizer = torch.optim.Adam([point], lr=0.01)
    loss().backward()
    optimizer.step()
    scale = adam_scale(optimizer, [point])
    felt = preconditioned(hessian_product(loss, [point]), scale)
    found = extreme_eigenvalues(felt, [point], 1)
    assert found.top[0].value == pytest.approx(float((BENDS / scale).max()), rel=1e-4)
    assert stable_limit(optimizer) == pytest.approx(3800)


def test_plain_descent_is_stable_below_its_limit_and_not_above():
    for momentum, nesterov in ((0.0, False), (0.9, False), (0.9, True)):
        for factor, stable in ((0.97, True), (1.03, False)):
            point, loss = bowl(start=(1e-3, 0.0, 0.0))
            optimizer = torch.optim.SGD([point], lr=1.0, momentum=momentum, nesterov=nesterov)
            limit_at_one = stable_limit(optimizer)
            optimizer.param_groups[0]["lr"] = factor * limit_at_one / 100
            for _ in range(1500):
                optimizer.zero_grad()
                loss().backward()
                optimizer.step()
                if not abs(float(point.detach()[0])) < 1e6:
                    break
            assert (abs(float(point.detach()[0])) < 1e-3) == stable, (momentum, nesterov, factor)


def test_no_second_moment_no_scale():
    point, _ = bowl()
    with pytest.raises(PlanError, match="keeps no second moment"):
        adam_scale(torch.optim.SGD([point], lr=1.0), [point])
