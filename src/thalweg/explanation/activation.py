"""Looking into a network while it answers, and leaving no trace.

A forward hook keeps what a layer gives and hands a copy on. So a following activation that works in place overwrites
the copy, neither the values that were kept nor the way back to them: class activation maps of such networks are right
(elsewhere they break, as in pytorch-grad-cam's issue 147). Training flags, random state and weights are as before.
"""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from thalweg.core.errors import SpecError
from thalweg.explanation.scores import Head, logits_of

__all__ = ["activations", "forward", "untouched", "watching"]


@contextlib.contextmanager
def untouched(module: nn.Module) -> Iterator[None]:
    """Let a network answer in evaluation mode, with gradients, and give it back as it was.

    Args:
        module: The network; its training flags, requires_grad flags and torch's random state are restored.

    Yields:
        Nothing.

    Example:
        >>> net = nn.Dropout()
        >>> with untouched(net):
        ...     net.training
        False
        >>> net.training
        True
    """
    modes = [(each, each.training) for each in module.modules()]
    wanted = [(weight, weight.requires_grad) for weight in module.parameters()]
    random = torch.get_rng_state()
    on_cuda = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    others = torch.cuda.get_rng_state_all() if on_cuda else None
    try:
        for each, _ in modes:
            each.training = False  # `eval()` may be overridden
        with torch.inference_mode(mode=False), torch.enable_grad():
            yield
    finally:
        for each, mode in modes:
            each.training = mode
        for weight, flag in wanted:
            weight.requires_grad_(flag)
        torch.set_rng_state(random)
        if others is not None:
            torch.cuda.set_rng_state_all(others)


@contextlib.contextmanager
def watching(module: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Keep what some layers give.

    Args:
        module: The network.
        names: The layers, as `get_submodule` knows them.

    Yields:
        What each gave in its last call, filled while the network runs.

    Raises:
        SpecError: There is no such layer.
    """
    seen: dict[str, Tensor] = {}

    def keeper(name: str) -> object:
        def keep(_module: nn.Module, _inputs: object, output: object) -> object:
            if not isinstance(output, Tensor):
                return None
            seen[name] = output
            return output.clone()

        return keep

    handles = []
    try:
        for name in names:
            try:
                layer = module.get_submodule(name)
            except AttributeError:
                raise SpecError(f"the network has no layer {name!r}") from None
            handles.append(layer.register_forward_hook(keeper(name)))  # type: ignore[arg-type]
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def forward(module: nn.Module, x: Tensor, head: Head = 0) -> Tensor:
    """Class scores of a batch that the network may overwrite.

    Args:
        module: The network.
        x: The batch; it stays as it is.
        head: Which of several outputs.

    Returns:
        `(N, K)`.
    """
    return logits_of(module(x.clone()), head)


def activations(module: nn.Module, names: Sequence[str], x: Tensor) -> dict[str, Tensor]:
    """What some layers give for a batch.

    Args:
        module: The network.
        names: The layers.
        x: The batch.

    Returns:
        A tensor a layer.

    Example:
        >>> net = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True))
        >>> activations(net, ["0"], -torch.ones(1, 2))["0"].tolist()
        [[-1.0, -1.0]]
    """
    with untouched(module), torch.no_grad(), watching(module, names) as seen:
        module(x.clone())
    return dict(seen)
