"""Parts open in order, as a function of progress, and learn at their shares of the rate."""

import torch

from thalweg.training.optimizers import make_optimizer, set_rate
from thalweg.training.unfreezing import HEAD, open_parts, parts_of


def network():
    return torch.nn.ModuleDict({name: torch.nn.Linear(2, 2) for name in ("early", "middle", "deep", "head")})


def parts(net, **options):
    order = ("early", "middle", "deep", "head")
    return parts_of({name: order.index(name.split(".")[0]) for name, _ in net.named_parameters()}, **options)


def opened(net):
    return [name for name, layer in net.items() if all(each.requires_grad for each in layer.parameters())]


def test_deep_stages_open_first():
    net = network()
    made = parts(net, decay=0.5, opened=0.4)
    seen = []
    for progress in (0.0, 0.19, 0.2, 0.39, 0.4, 1.0, 0.1):
        open_parts(net, made, progress)
        seen.append(opened(net))
    late = ["deep", "head"]
    assert seen == [late, late, ["middle", *late], ["middle", *late], [*net], [*net], late]


def test_all_open_at_once_where_nothing_is_delayed():
    net = network()
    open_parts(net, parts(net, decay=0.5, opened=0.0), 0.0)
    assert opened(net) == list(net)


def test_rates_fall_towards_the_pixels_the_fitted_head_is_slow_and_all_stay_in_proportion():
    net = network()
    made = parts(net, decay=0.5, opened=0.4)
    optimizer = make_optimizer(net, "adamw", learning_rate=1.0, weight_decay=0.1, parts=made)
    assert [group["lr"] for group in optimizer.param_groups] == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, HEAD, HEAD]
    set_rate(optimizer, 0.2)
    assert [group["lr"] for group in optimizer.param_groups][::2] == [0.2, 0.1, 0.05, 0.2 * HEAD]
    assert [group["weight_decay"] for group in optimizer.param_groups][:2] == [0.1, 0.0]


def test_a_closed_part_does_not_move():
    net = network()
    made = parts(net, decay=1.0, opened=0.4)
    optimizer = make_optimizer(net, "adamw", learning_rate=0.1, weight_decay=0.1, parts=made)
    open_parts(net, made, 0.0)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    x = torch.ones(3, 2)
    for layer in net.values():
        x = layer(x)
    x.sum().backward()
    optimizer.step()
    moved = {name.split(".")[0] for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"deep", "head"}


def test_a_head_that_learns_alone_has_the_whole_rate():
    (alone,) = parts_of({"fc.weight": 3, "fc.bias": 3}, decay=0.5, opened=0.4)
    assert (alone.parameters, alone.share, alone.opens) == (("fc.weight", "fc.bias"), 1.0, 0.0)
