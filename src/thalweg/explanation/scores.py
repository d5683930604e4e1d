"""What a network says of a class: its score before the softmax or sigmoid, and its probability.

Maps are made from scores (logits), as in Selvaraju et al. 2017: a probability near one hardly moves, whatever is
covered. Insertion and deletion curves are made of probabilities, as in Petsiuk et al. 2018, so that their areas lie
between 0 and 1.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from thalweg.core.errors import SpecError

__all__ = ["Head", "class_probabilities", "class_scores", "logits_of"]

Head = int | str
"""Which of several outputs is explained: its place or its name."""


def logits_of(output: object, head: Head = 0) -> Tensor:
    """Pick the class scores out of whatever a network returns.

    Args:
        output: A tensor, or a tuple, list or mapping of tensors where the network has several heads.
        head: Which of them.

    Returns:
        float `(N, K)`; scores at every position are averaged over the positions.

    Raises:
        SpecError: There is no such head, or it is no tensor of scores.

    Example:
        >>> logits_of((torch.zeros(2, 3), torch.ones(2, 5)), 1).shape
        torch.Size([2, 5])
    """
    chosen = output
    if isinstance(output, Mapping):
        names = list(output)
        name = names[head] if isinstance(head, int) and head not in output and head < len(names) else head
        if name not in output:
            raise SpecError(f"the network has no head {head!r}; it has {', '.join(map(repr, names))}")
        chosen = output[name]
    elif isinstance(output, Sequence):
        if not isinstance(head, int) or not 0 <= head < len(output):
            raise SpecError(f"the network has no head {head!r}; it has {len(output)}, counted from 0")
        chosen = output[head]
    if not isinstance(chosen, Tensor) or chosen.ndim == 0:
        raise SpecError(f"the network returns {type(chosen).__name__}, and class scores (N, K) are wanted")
    if chosen.ndim == 1:
        chosen = chosen[:, None]
    return (chosen.flatten(2).mean(2) if chosen.ndim > 2 else chosen).float()  # noqa: PLR2004 - (N, K)


def class_scores(logits: Tensor, classes: Tensor) -> Tensor:
    """The score of one class a sample.

    One logit stands for two classes: z speaks for class 1, and -z for class 0.

    Args:
        logits: `(N, 1)` or `(N, K)`.
        classes: int64 `(N,)`.

    Returns:
        `(N,)`.

    Example:
        >>> class_scores(torch.tensor([[2.0], [2.0]]), torch.tensor([1, 0])).tolist()
        [2.0, -2.0]
    """
    if logits.shape[1] == 1:
        return logits[:, 0] * (2 * classes - 1)
    return logits.gather(1, classes[:, None])[:, 0]


def class_probabilities(logits: Tensor, classes: Tensor) -> Tensor:
    """The probability of one class a sample.

    Args:
        logits: `(N, 1)` or `(N, K)`.
        classes: int64 `(N,)`.

    Returns:
        `(N,)`, from 0 to 1.

    Example:
        >>> class_probabilities(torch.zeros(1, 4), torch.tensor([2])).tolist()
        [0.25]
    """
    if logits.shape[1] == 1:
        return torch.sigmoid(class_scores(logits, classes))
    return torch.softmax(logits, dim=1).gather(1, classes[:, None])[:, 0]
