"""What a rule is: a permanent code, the name of its finding, and the function whose docstring explains it."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from thalweg.core.finding import Finding
from thalweg.diagnosis.case import Case

__all__ = ["HEADINGS", "Rule"]

HEADINGS = ("Watches", "Fires when", "Why it hurts", "Not to be confused with", "Remedies", "References")
"""What every rule's text says, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Args:
        code: Family and number, such as `CUR001`; never used again for anything else.
        name: The finding's name, of the interface's list.
        check: From a case to findings; none where all is well.
    """

    code: str
    name: str
    check: Callable[[Case], Iterator[Finding]]

    @property
    def text(self) -> str:
        """What the rule says about itself."""
        return inspect.getdoc(self.check) or ""

    @property
    def summary(self) -> str:
        """The first sentence, without the code."""
        return self.text.partition("\n")[0].partition(": ")[2]
