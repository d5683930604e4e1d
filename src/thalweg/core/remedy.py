"""What to do about a finding: a typed change to the plan or the network, with how safe it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Remedy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One way out.

    Args:
        code: The remedy's permanent name, such as `lower_learning_rate`.
        edit: Fields of the plan or spec and their new values.
        safety: `exact` (same mathematics), `behaviour-changing`, or `advice` (nothing to apply automatically).
        expected_effect: What should be seen afterwards, in a sentence.
        cost: What it costs, in a sentence.
    """

    code: str
    edit: Mapping[str, str | float | int | bool | None] = field(default_factory=dict)
    safety: Literal["exact", "behaviour-changing", "advice"] = "advice"
    expected_effect: str = ""
    cost: str = ""
