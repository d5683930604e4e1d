"""torch differentiates the same case: the numbers by which derivations are proved."""

import pytest
import torch
from torch.nn import functional

from thalweg.derivation.case import build_case
from thalweg.modules.autograd_proof import autograd_gradients


def test_the_proof_is_what_a_user_of_torch_writes():
    case, _ = build_case("conv2d", x="2x4x5", f="4x1x2x3", groups=2, stride=(1, 2), padding=1, dilation=(2, 1),
                         bias=True, head="relu maxpool(2) c*mean")  # fmt: skip
    names = [*case.x, *case.f, *case.bias, "c"]
    torch.manual_seed(0)
    values = dict(zip(names, torch.randn(len(names), dtype=torch.float64).tolist(), strict=True))
    x = torch.tensor([values[name] for name in case.x], dtype=torch.float64).reshape(1, 2, 4, 5).requires_grad_()
    f = torch.tensor([values[name] for name in case.f], dtype=torch.float64).reshape(4, 1, 2, 3).requires_grad_()
    b = torch.tensor([values[name] for name in case.bias], dtype=torch.float64).requires_grad_()
    y = functional.conv2d(x, f, b, stride=(1, 2), padding=1, dilation=(2, 1), groups=2)
    (values["c"] * functional.max_pool2d(y.relu(), 2).mean()).backward()
    found = autograd_gradients(case, values)
    assert found["y"] == pytest.approx(y.flatten().tolist(), rel=1e-14)
    for name, leaf in (("dO_dx", x), ("dO_df", f), ("dO_db", b)):
        assert found[name] == pytest.approx(leaf.grad.flatten().tolist(), rel=1e-13), name
        assert any(found[name])


def test_dense_rows_and_tanh_are_torchs():
    head = "tanh 2*dense([[1, 2, 0, 1], [1/2, -1, 3, 0]], [1/4, -1]) cross-entropy(1)"
    case, _ = build_case("conv2d", x=[[1, 0, 2], [0, 1, 1], [1, -1, 0]], f=[["1/2", "-1/2"], [1, "1/4"]], head=head)
    x = torch.tensor([[1.0, 0, 2], [0, 1, 1], [1, -1, 0]], dtype=torch.float64, requires_grad=True)
    f = torch.tensor([[0.5, -0.5], [1, 0.25]], dtype=torch.float64, requires_grad=True)
    y = functional.conv2d(x[None, None], f[None, None]).tanh().flatten()
    rows = torch.tensor([[1, 2, 0, 1], [0.5, -1, 3, 0]], dtype=torch.float64)
    scores = 2 * functional.linear(y, rows, torch.tensor([0.25, -1], dtype=torch.float64))
    functional.cross_entropy(scores[None], torch.tensor([1])).backward()
    found = autograd_gradients(case, {})
    assert found["dO_dx"] == pytest.approx(x.grad.flatten().tolist(), rel=1e-13)
    assert found["dO_df"] == pytest.approx(f.grad.flatten().tolist(), rel=1e-13)
    assert any(found["dO_df"])


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_same_padding_is_torchs():
    case, _ = build_case("conv1d", x=[1, 2, 4], f=[3, 5], padding="same", head="sum")
    expected = functional.conv1d(torch.tensor([[[1.0, 2, 4]]]), torch.tensor([[[3.0, 5]]]), padding="same")
    assert autograd_gradients(case, {})["y"] == expected.flatten().tolist()


def test_works_where_gradients_are_switched_off():
    case, _ = build_case("conv1d", x=["1/2"], f=[4], head="squared-error([1])")
    with torch.no_grad():
        assert autograd_gradients(case, {})["dO_dx"] == [8.0]


def test_the_head_can_be_differentiated_at_a_given_place():
    case, _ = build_case("conv1d", x=[1, 2], f=[1], head="relu sum")
    assert autograd_gradients(case, {})["dO_dx"] == [1.0, 1.0]
    assert autograd_gradients(case, {}, at=[0.0, 2.0])["dO_dx"] == [0.0, 1.0]
