"""YAML that strangers wrote: data only, without the two ways in which a few lines take minutes or gigabytes."""

import importlib
from typing import Any

__all__ = ["read_yaml"]

_DEEPEST = 60


def read_yaml(text: str) -> object:
    """Read a YAML document as plain data.

    Args:
        text: The document.

    Returns:
        Dictionaries, lists, text, numbers, dates.

    Raises:
        ValueError: It is no YAML, uses aliases, or nests too deep; begins with `line N: ` where the place is known.
        ImportError: PyYAML is not installed.

    Example:
        >>> read_yaml("a: [1, 2.5, yes]")
        {'a': [1, 2.5, True]}
        >>> read_yaml("- *a")
        Traceback (most recent call last):
        ValueError: aliases (*name) are not read; write the values out
    """
    yaml: Any = importlib.import_module("yaml")  # a tenth of a second that other files need not wait for
    if _deepest(text) > _DEEPEST:  # PyYAML takes minutes before it gives up on a few thousand brackets
        raise ValueError("lists within lists go too deep")
    try:
        # An alias can stand for a list of aliases, and so on: a few lines that unfold to gigabytes.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ValueError("aliases (*name) are not read; write the values out")
        return yaml.safe_load(text)
    except RecursionError:
        raise ValueError("lists within lists go too deep") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        reason = str(getattr(error, "problem", None) or error).partition("\n")[0]
        raise ValueError(f"{line}no YAML: {reason}") from None


def _deepest(text: str) -> int:
    """How deep lists nest: brackets that are open at a time, or dashes before an entry of a line."""
    depth = deepest = 0
    for letter in text:
        depth = max(0, depth + (letter in "[{") - (letter in "]}"))
        deepest = max(deepest, depth)
    return max(deepest, max((line.count("- ") for line in text.splitlines()), default=0))
