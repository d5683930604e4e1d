"""The forms a layer's setting may have, and how a wrong value is refused.

A form knows its default, checks a value, and says what it wants in words, so that every kind of layer refuses bad
settings with the same sentence.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from thalweg.core.errors import SpecError
from thalweg.core.network_spec import Setting

__all__ = [
    "REQUIRED",
    "SettingForm",
    "amount",
    "choice",
    "count",
    "number",
    "number_per_channel",
    "padding",
    "per_axis",
    "positions",
    "share",
    "switch",
    "word",
]

REQUIRED: Final = "<required>"
_LONGEST_WORD = 80
_MOST_POSITIONS = 1_000_000
"""What a window may reach: its taps are looked at one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingForm:
    """One setting of a layer kind.

    Args:
        wanted: What is allowed, as the end of `... is wanted`.
        default: The value when nothing is said; `REQUIRED` where there is none.
        accepts: Whether a value is allowed, given the number of spatial axes (None: any number).
        largest: No whole number in it may be larger.
    """

    wanted: str
    default: Setting
    accepts: Callable[[Setting, int | None], bool]
    largest: int = 1 << 62

    def check(self, value: Setting, name: str, axes: int | None) -> None:
        """Refuse a value that is not of this form.

        Args:
            value: What was given.
            name: The setting's name, for the message.
            axes: Spatial axes of the kind, None where it works on any number.

        Raises:
            SpecError: The value is not allowed.
        """
        if not self.accepts(value, axes):
            raise SpecError(f"{name} is {value!r}; {self.wanted} is wanted")
        if _largest(value) > self.largest:
            raise SpecError(f"{name} is beyond {self.largest:,}, the most that it may be")


def _largest(value: Setting) -> int:
    if isinstance(value, tuple):
        return max(map(_largest, value), default=0)
    return value if isinstance(value, int) else 0


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole_per_axis(value: object, axes: int | None, least: int) -> bool:
    if isinstance(value, tuple):
        return bool(value) and (axes is None or len(value) == axes) and all(_whole(item, least) for item in value)
    return _whole(value, least)


def count(default: Setting = REQUIRED) -> SettingForm:
    """A whole number from 1.

    Args:
        default: The value when nothing is said.

    Returns:
        The form.
    """
    return SettingForm(wanted="a whole number from 1", default=default, accepts=lambda value, _: _whole(value, 1))


def amount(default: Setting = REQUIRED) -> SettingForm:
    """A whole number from 0.

    Args:
        default: The value when nothing is said.

    Returns:
        The form.
    """
    return SettingForm(wanted="a whole number from 0", default=default, accepts=lambda value, _: _whole(value, 0))


def word(default: Setting = REQUIRED) -> SettingForm:
    """A short printable text.

    Args:
        default: The value when nothing is said.

    Returns:
        The form.
    """
    return SettingForm(
        wanted=f"a printable text of 1 to {_LONGEST_WORD} letters",
        default=default,
        accepts=lambda value, _: isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD and value.isprintable(),
    )


def positions(default: Setting = REQUIRED, least: int = 1) -> SettingForm:
    """A whole number, or one for each spatial axis; `None` only where it is the default.

    Args:
        default: The value when nothing is said.
        least: The smallest number allowed.

    Returns:
        The form.
    """
    return SettingForm(
        wanted=f"a whole number from {least}, or one for each spatial axis,",
        default=default,
        accepts=lambda value, axes: (value is None and default is None) or _whole_per_axis(value, axes, least),
        largest=_MOST_POSITIONS,
    )


def padding(default: Setting = 0) -> SettingForm:
    """A number of positions, one for each axis, a pair (before, after) for each axis, `same` or `valid`.

    Args:
        default: The value when nothing is said.

    Returns:
        The form.
    """

    def accepts(value: Setting, axes: int | None) -> bool:
        if isinstance(value, str):
            return value in {"same", "valid"}
        if isinstance(value, tuple) and value and all(isinstance(item, tuple) for item in value):
            right_length = axes is None or len(value) == axes
            return right_length and all(
                isinstance(pair, tuple) and len(pair) == 2 and all(_whole(item, 0) for item in pair)  # noqa: PLR2004 - a pair
                for pair in value
            )
        return _whole_per_axis(value, axes, 0)

    return SettingForm(
        wanted="a whole number from 0, one or a pair for each spatial axis, 'same' or 'valid'",
        default=default,
        accepts=accepts,
        largest=_MOST_POSITIONS,
    )


def switch(*, default: bool) -> SettingForm:
    """True or False.

    Args:
        default: The value when nothing is said.

    Returns:
        The form.
    """
    return SettingForm(wanted="True or False", default=default, accepts=lambda value, _: isinstance(value, bool))


def number(default: Setting = REQUIRED, least: float = -math.inf) -> SettingForm:
    """A finite number.

    Args:
        default: The value when nothing is said.
        least: The smallest number allowed.

    Returns:
        The form.
    """
    wanted = "a finite number" if least == -math.inf else f"a finite number from {least:g}"
    return SettingForm(
        wanted=wanted,
        default=default,
        accepts=lambda value, _: _real(value) and float(value) >= least,  # type: ignore[arg-type]
    )


def number_per_channel(default: Setting) -> SettingForm:
    """A finite number, or one for each channel.

    Args:
        default: The value when nothing is said.

    Returns:
        The form.
    """
    return SettingForm(
        wanted="a finite number, or one for each channel,",
        default=default,
        accepts=lambda value, _: bool(value) and all(map(_real, value)) if isinstance(value, tuple) else _real(value),
    )


def share(default: Setting = REQUIRED) -> SettingForm:
    """A number from 0 to 1, without 1.

    Args:
        default: The value when nothing is said.

    Returns:
        The form.
    """
    return SettingForm(
        wanted="a number from 0 up to, but not including, 1",
        default=default,
        accepts=lambda value, _: _real(value) and 0 <= float(value) < 1,  # type: ignore[arg-type]
    )


def choice(*options: str) -> SettingForm:
    """One of a few words; the first is the default.

    Args:
        *options: The words.

    Returns:
        The form.
    """
    return SettingForm(
        wanted="one of " + ", ".join(map(repr, options)),
        default=options[0],
        accepts=lambda value, _: value in options,
    )


def per_axis(value: Setting, axes: int) -> tuple[int, ...]:
    """Spread a setting over the spatial axes.

    Args:
        value: A whole number, or a tuple with one for each axis.
        axes: Number of spatial axes.

    Returns:
        One number for each axis.

    Raises:
        SpecError: There are more or fewer numbers than axes.

    Example:
        >>> per_axis(3, 2)
        (3, 3)
    """
    if isinstance(value, tuple):
        if len(value) != axes:
            raise SpecError(f"{value!r} has {len(value)} numbers for {axes} spatial axes")
        return value  # type: ignore[return-value]
    return (value,) * axes  # type: ignore[return-value]
