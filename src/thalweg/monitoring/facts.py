"""Reading the facts of a network off a torch module and its optimizer, from the first batch it sees.

Everything here is read, nothing is changed: no forward of its own, no random number, no gradient.
"""

import math
from collections.abc import Sequence

import torch

from thalweg.core.network_facts import LayerFacts, NetworkFacts, OutputForm, TargetKind
from thalweg.modules.sharded import kind_of, local

__all__ = ["LOSSES", "first_tensor", "network_facts", "output_form", "target_kind"]

LOSSES = {
    "CrossEntropyLoss": "cross_entropy",
    "NLLLoss": "nll",
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "MSELoss": "mean_squared_error",
    "L1Loss": "mean_absolute_error",
    "SmoothL1Loss": "mean_absolute_error",
    "HuberLoss": "mean_absolute_error",
}
"""Classes of `torch.nn` and what their losses are called here."""

_KINDS = {
    "relu": ("ReLU", "ReLU6", "Threshold"),
    "leaky_relu": ("LeakyReLU", "PReLU", "RReLU"),
    "sigmoid": ("Sigmoid", "Hardsigmoid"),
    "tanh": ("Tanh", "Hardtanh", "Softsign"),
    "softmax": ("Softmax", "Softmax2d"),
    "log_softmax": ("LogSoftmax",),
    "log_sigmoid": ("LogSigmoid",),
    "gelu": ("GELU",),
    "silu": ("SiLU", "Hardswish", "Mish"),
    "elu": ("ELU", "SELU", "CELU"),
    "softplus": ("Softplus",),
}
_ACTIVATIONS = {name: kind for kind, names in _KINDS.items() for name in names}
_MANY = 64  # weights: fewer do not show from which distribution they were drawn
_UNIFORM_GAP = 10.0  # of n uniform draws the largest lies within about 1/n of the bound, and never beyond it
_NORMAL_GAINS = (1.0, math.sqrt(2.0))  # LeCun, He
_SMALL_NORMAL = 0.02  # standard deviation, as transformers start
_CLOSE = 0.05
_ROUNDING = 1e-5
_SLACK = 1e-3  # of rounding, in sums of probabilities; half precision has as much


def network_facts(
    module: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    order: Sequence[str] = (),
    inputs: object = None,
    outputs: object = None,
    targets: object = None,
    loss: str = "",
    ranks: int = 1,
) -> NetworkFacts:
    """Read what is known of a network.

    Args:
        module: The network.
        optimizer: What trains it.
        order: Names of its leaf modules as the first batch passed them; the order of definition without it.
        inputs: The first batch's input, or a sequence of inputs; no tensor is kept.
        outputs: The network's output for it.
        targets: Its labels, where they were seen or recovered.
        loss: Name of the loss as in `LOSSES`, or another name, or empty.
        ranks: How many processes share each update; they see as many samples each.

    Returns:
        The facts, as plain values.

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(dim=1))
        >>> facts = network_facts(network, torch.optim.SGD(network.parameters(), lr=0.1), loss="cross_entropy")
        >>> facts.output_activation, facts.layers[0].activation
        ('softmax', 'softmax')
    """
    leaves = {name: leaf for name, leaf in module.named_modules() if not list(leaf.children())}
    called = list(dict.fromkeys(name for name in order if name in leaves)) or list(leaves)
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    activations = _following(called, leaves)
    first, out = first_tensor(inputs), first_tensor(outputs)
    targeted = first_tensor(targets)
    kind = target_kind(targeted)
    groups = optimizer.param_groups
    betas = groups[0].get("betas") or (groups[0].get("momentum", 0.0),)
    return NetworkFacts(
        layers=tuple(_layer(name, leaves[name], activations.get(name, ""), held) for name in called),
        loss=loss,
        outputs=int(out.shape[1]) if out is not None and out.ndim >= 2 else None,  # noqa: PLR2004 - a batch of vectors
        output_activation=_last_activation(called, leaves),
        output_form=output_form(out),
        targets=kind,
        classes=_classes(out, targeted, kind),
        batch_size=int(first.shape[0]) * ranks if first is not None and first.ndim else None,
        ranks=ranks,
        optimizer=type(optimizer).__name__,
        learning_rate=max((float(group["lr"]) for group in groups if "lr" in group), default=None),
        momentum=float(betas[0] or 0.0),
        weight_decay=max(float(group.get("weight_decay", 0.0) or 0.0) for group in groups),
        decoupled_decay=type(optimizer).__name__ == "AdamW" or bool(groups[0].get("decoupled_weight_decay", False)),
        input_kind="real" if first is None or first.is_floating_point() else "whole",
    )


def output_form(outputs: torch.Tensor | None) -> OutputForm:
    """Say what a batch of outputs looks like.

    Args:
        outputs: Samples first, classes second; None where nobody saw them.

    Returns:
        A value of `NetworkFacts.output_form`.

    Example:
        >>> output_form(torch.tensor([[0.25, 0.75], [0.5, 0.5]])), output_form(torch.tensor([[-1.0, 2.0]]))
        ('probabilities', 'scores')
    """
    if outputs is None or outputs.ndim < 1 or not outputs.numel() or not outputs.is_floating_point():
        return ""
    values = outputs.detach().float()
    if not bool(torch.isfinite(values).all()):
        return ""
    low, high = float(values.min()), float(values.max())
    several = values.ndim >= 2 and values.shape[1] > 1  # noqa: PLR2004 - a batch of vectors
    if several and low >= 0 and float((values.sum(1) - 1).abs().max()) < _SLACK:
        return "probabilities"
    if several and high <= 0 and float(torch.logsumexp(values, 1).abs().max()) < _SLACK:
        return "log_probabilities"
    alike = float((values - values[:1]).abs().max()) <= _ROUNDING * max(abs(low), high)  # as behind dead units: one row
    if low >= 0 and values.numel() >= 32 and not alike:  # noqa: PLR2004 - so many scores are not positive by chance
        return "unit_interval" if high <= 1 else "non_negative"
    return "scores"


def target_kind(targets: torch.Tensor | None) -> TargetKind:
    """Say what a batch of labels looks like.

    Args:
        targets: The labels; None where nobody saw them.

    Returns:
        A value of `NetworkFacts.targets`.

    Example:
        >>> target_kind(torch.tensor([3, 1])), target_kind(torch.eye(3)), target_kind(torch.tensor([0.5, 2.0]))
        ('classes', 'one_hot', 'numbers')
    """
    if targets is None or not targets.numel():
        return ""
    if not targets.is_floating_point():
        return "classes" if targets.ndim == 1 or targets.shape[1:].numel() != 1 else "binary"
    halves = ((targets == 0) | (targets == 1)).all()
    if not bool(halves):
        return "numbers"
    several = targets.ndim == 2 and targets.shape[1] > 1  # noqa: PLR2004 - a row a sample
    return "one_hot" if several and bool((targets.sum(1) == 1).all()) else "binary"


def _classes(outputs: torch.Tensor | None, targets: torch.Tensor | None, kind: str) -> int | None:
    seen = int(targets.max()) + 1 if kind == "classes" and targets is not None else 0
    width = int(outputs.shape[1]) if outputs is not None and outputs.ndim >= 2 else 0  # noqa: PLR2004 - vectors
    if kind == "numbers":
        return None
    if width == 1:
        return max(seen, 2)
    return max(seen, width) or None


def _following(called: Sequence[str], leaves: dict[str, torch.nn.Module]) -> dict[str, str]:
    """For each layer with weights, the activation that data meets before the next weights."""
    found: dict[str, str] = {}
    waiting = ""
    for name in called:
        leaf = leaves[name]
        activation = _ACTIVATIONS.get(type(leaf).__name__, "")
        if activation and waiting:
            found[waiting], waiting = activation, ""
        elif "Norm" not in type(leaf).__name__ and any(True for _ in leaf.parameters(recurse=False)):
            waiting = name
    return found


def _last_activation(called: Sequence[str], leaves: dict[str, torch.nn.Module]) -> str:
    """The activation that data leaves the network through; empty where weights come after the last one."""
    for name in reversed(called):
        leaf = leaves[name]
        if activation := _ACTIVATIONS.get(type(leaf).__name__, ""):
            return activation
        if any(True for _ in leaf.parameters(recurse=False)):
            return ""
    return ""


def _layer(name: str, leaf: torch.nn.Module, activation: str, held: set[int]) -> LayerFacts:
    own = list(leaf.parameters(recurse=False))
    fresh, gain = _initial(leaf)
    return LayerFacts(
        name=name,
        kind=kind_of(leaf).__name__.removeprefix("_Spread"),
        activation=activation,
        parameters=sum(parameter.numel() for parameter in own),
        trainable=any(parameter.requires_grad for parameter in own),
        optimised=any(id(parameter) in held for parameter in own),
        fresh=fresh,
        gain=gain,
        training=leaf.training,
        spread=isinstance(leaf, torch.nn.SyncBatchNorm) or bool(getattr(leaf, "of_all_ranks", False)),
    )


def _initial(leaf: torch.nn.Module) -> tuple[bool | None, float | None]:
    """Whether a layer's weights lie as drawn from a usual distribution, and their gain."""
    weight = getattr(leaf, "weight", None)
    if not isinstance(weight, torch.Tensor) or weight.ndim < 2 or "Norm" in type(leaf).__name__:  # noqa: PLR2004
        return None, None
    shape = weight.shape
    values = local(weight.detach()).cpu().flatten().double()  # of a shard, rows tell as well as the whole
    spread = float(values.std()) if values.numel() > 1 else 0.0
    if isinstance(leaf, torch.nn.Embedding | torch.nn.EmbeddingBag):  # it looks rows up, and sums over none of them
        drawn = any(abs(spread / known - 1) < _CLOSE for known in (1.0, _SMALL_NORMAL))
        return (_is_normal(values, spread) and drawn if values.numel() >= _MANY else None), None
    fan_in = shape[1:].numel()
    gain = spread * math.sqrt(fan_in)
    if values.numel() < _MANY or not math.isfinite(spread) or spread == 0.0:
        return None, gain if math.isfinite(gain) else None
    fan_out = shape[0] * shape[2:].numel()
    largest = float(values.abs().max()) * math.sqrt(fan_in)
    fourth = float(((values - values.mean()) / spread).pow(4).mean())
    for bound in (1.0, math.sqrt(6.0), math.sqrt(3.0), math.sqrt(6.0 * fan_in / (fan_in + fan_out))):
        reaches = bound * (1 - _UNIFORM_GAP / values.numel()) <= largest <= bound * (1 + _ROUNDING)
        # A uniform distribution has the spread bound / sqrt(3) and the fourth moment 1.8; five standard errors of each.
        fills = abs(gain * math.sqrt(3.0) / bound - 1) < 5 * math.sqrt(0.2 / values.numel())
        flat = abs(fourth - 1.8) < 5 * math.sqrt(1.3 / values.numel())
        if reaches and fills and flat:
            return True, gain  # torch's own, He's, LeCun's, Glorot's
    normal = _is_normal(values, spread)
    both = math.sqrt(2.0 * fan_in / (fan_in + fan_out))
    usual = any(abs(gain / known - 1) < _CLOSE for known in (*_NORMAL_GAINS, both))
    return normal and (usual or abs(spread / _SMALL_NORMAL - 1) < _CLOSE), gain


def _is_normal(values: torch.Tensor, spread: float) -> bool:
    """Whether the fourth moment is that of a normal law, within three of its standard errors."""
    if not 0 < spread < math.inf:
        return False
    fourth = float(((values - values.mean()) / spread).pow(4).mean())
    return abs(fourth - 3.0) < 3.0 * math.sqrt(24.0 / values.numel())


def first_tensor(value: object) -> torch.Tensor | None:
    """Find the first tensor in what a network takes or gives.

    Args:
        value: A tensor, or a tuple, list, dict or model output that holds some.

    Returns:
        The tensor, the logits where something is called that; None where there is none.

    Example:
        >>> first_tensor(("text", {"logits": torch.ones(2)}))
        tensor([1., 1.])
    """
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, dict):
        value = next((value[name] for name in ("logits", "out") if name in value), next(iter(value.values()), None))
        return first_tensor(value)
    if isinstance(value, list | tuple):
        return next((found for item in value if (found := first_tensor(item)) is not None), None)
    return first_tensor(getattr(value, "logits", None)) if hasattr(value, "logits") else None
