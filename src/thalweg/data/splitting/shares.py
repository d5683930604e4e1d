"""How much is held out, as people write it: `--split 80/20`, `--split 70/10/20`, or `--validation` and `--test`."""

import re

from thalweg.core.errors import PlanError

__all__ = ["held_out_shares", "parse_ratio"]

_MOST_PARTS = 3


def held_out_shares(
    split: str | None, validation: float | None, test: float | None
) -> tuple[float | None, float | None]:
    """What is held out, said in one of two ways.

    Args:
        split: As `parse_ratio` reads it, or None.
        validation: Share for validation, or None.
        test: Share for testing, or None.

    Returns:
        The shares for validation and for test.

    Raises:
        PlanError: It is said twice.
    """
    if split is None:
        return validation, test
    if test is not None or validation is not None:
        raise PlanError(f"--split {split} already says what --test and --validation say: give one of them")
    return parse_ratio(split)


def parse_ratio(text: str) -> tuple[float | None, float | None]:
    """Read what `--split` takes: `80/20`, `70/10/20` (training, validation, test) or `0.2` (validation).

    Args:
        text: Two or three shares that add up to 1 or to 100, or the one share to hold out.

    Returns:
        The shares for validation and for test, above 0 and below 1; test is None for a two-way split.

    Raises:
        PlanError: The text is none of these.

    Example:
        >>> parse_ratio("80/20"), parse_ratio("70/10/20"), parse_ratio("0.2")
        ((0.2, None), (0.1, 0.2), (0.2, None))
    """
    try:
        numbers = [float(part) for part in re.split(r"[/:]", text)]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        numbers.insert(0, 1 - numbers[0])
    whole = sum(numbers)
    fits = any(abs(whole - total) < 1e-6 * total for total in (1, 100))
    if not 1 < len(numbers) <= _MOST_PARTS or not fits or min(numbers) <= 0:
        raise PlanError(f"split {text!r} is not of the form 80/20, 70/10/20 (training/validation/test) or 0.2")
    held = [number / (100 if whole > 1.5 else 1) for number in numbers[1:]]  # noqa: PLR2004 - 1 or 100, checked above
    return held[0], held[1] if len(held) > 1 else None
