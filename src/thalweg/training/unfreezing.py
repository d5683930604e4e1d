"""Which parts of a pretrained network learn, from when on, and at which share of the learning rate.

The deeper a stage lies, the more it is bound to what the network was trained on, the earlier it is opened and the
faster it learns; early stages (edges, colours, textures) serve any photo, open last and move least (Howard and Ruder
2018: gradual unfreezing, discriminative rates). A stage that is still closed wants no gradients at all, so that the
first part of a run is cheaper too.

The head has been fitted to its minimum before (`training.features`), so it moves slowly: at the rate of the stages,
every step would push its thousand weights, whose inputs are all positive, the same way, and shake the scores until the
stages bend to follow (Kumar et al. 2022, on features that fine-tuning distorts).

Whether a part is open is a function of the run's progress alone: a resumed run opens the same parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `progress` is read where torch must not be loaded
    import torch

__all__ = ["HEAD", "Part", "open_parts", "parts_of"]

HEAD = 0.15
"""Share of the rate at which a head learns that was fitted beforehand (decision 0021)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Parameters that are treated alike.

    Args:
        parameters: Their names.
        share: Factor on the run's learning rate.
        opens: Share of the run after which they learn, 0 to 1.
    """

    parameters: tuple[str, ...]
    share: float
    opens: float = 0.0


def parts_of(stage_of: Mapping[str, int], *, decay: float, opened: float) -> tuple[Part, ...]:
    """The parts of a network whose parameters lie in stages.

        share = decay^depth,   opens = opened depth / (stages - 1)     (depth 0 for the deepest stage)

    Args:
        stage_of: Stage of each parameter that is trained, by name; the head's is the highest. It learns from the first
            step on, at 0.15 of the rate, or at the whole of it where nothing else learns.
        decay: Factor on the learning rate from a stage to the one before it.
        opened: Share of the run after which all are open; 0 opens all at once.

    Returns:
        The parts, the deepest stage first, whose rate is that of the run, and the head last.

    Example:
        >>> stage_of = {"conv1.weight": 0, "conv2.weight": 1, "conv3.weight": 2, "fc.weight": 3}
        >>> [(part.share, part.opens) for part in parts_of(stage_of, decay=0.5, opened=0.3)]
        [(1.0, 0.0), (0.5, 0.15), (0.25, 0.3), (0.15, 0.0)]
    """
    head, *order = sorted(set(stage_of.values()), reverse=True)
    later = max(1, len(order) - 1)

    def of(stage: int, share: float, opens: float) -> Part:
        names = tuple(name for name, at in stage_of.items() if at == stage)
        return Part(parameters=names, share=share, opens=opens)

    stages = [of(stage, decay**depth, opened * depth / later) for depth, stage in enumerate(order)]
    return (*stages, of(head, HEAD if stages else 1.0, 0.0))


def open_parts(module: "torch.nn.Module", parts: Sequence[Part], progress: float) -> None:
    """Let the parts learn whose time has come, and no others.

    Args:
        module: The network.
        parts: Its parts; with none of them nothing is changed.
        progress: Share of the run done, 0 to 1.
    """
    if not parts:
        return
    named = dict(module.named_parameters())
    for part in parts:
        for name in part.parameters:
            named[name].requires_grad_(progress >= part.opens)
