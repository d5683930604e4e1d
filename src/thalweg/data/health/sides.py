"""Class names that differ by their side alone: `turn-left` and `turn-right`, each what the other is in a mirror."""

import re
from collections.abc import Sequence

__all__ = ["one_side", "sided_classes"]

_SIDES = (
    ("left", "right"),
    ("l", "r"),
    ("links", "rechts"),
    ("gauche", "droite"),
    ("izquierda", "derecha"),
    ("چپ", "راست"),
)


def one_side(classes: Sequence[str]) -> tuple[int, ...]:
    """Take classes whose names differ by their side alone for one.

    Args:
        classes: Names.

    Returns:
        For each class its own index, or of two such classes that of the left one.

    Example:
        >>> one_side(["keep_right", "stop", "keep_left"])
        (2, 1, 2)
    """
    known = {_words(name): index for index, name in enumerate(classes)}
    places = list(range(len(classes)))
    for words, index in known.items():
        for one, other in _SIDES:
            turned = tuple(other if word == one else word for word in words)
            if one in words and turned in known and (len(one) > 1 or len(words) > 1):  # l and r alone are letters
                places[known[turned]] = index
    return tuple(places)


def sided_classes(classes: Sequence[str]) -> tuple[str, str] | None:
    """Find two classes whose names differ by their side alone.

    Args:
        classes: Names.

    Returns:
        The first such two, the left one first; None where there are none.

    Example:
        >>> sided_classes(["keep_left", "keep_right", "stop"])
        ('keep_left', 'keep_right')
        >>> sided_classes(["bright", "dark"]) is None
        True
    """
    pairs = ((classes[left], classes[right]) for right, left in enumerate(one_side(classes)) if left != right)
    return next(pairs, None)


def _words(name: str) -> tuple[str, ...]:
    """`keepLeft-2` as keep, left, 2."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return tuple(re.findall(r"[^\W\d_]+|\d+", spaced.casefold()))
