"""What is wrong, how sure that is, and why: a claim that carries its evidence."""

from dataclasses import dataclass
from typing import Literal

from thalweg.core.remedy import Remedy
from thalweg.core.showing import Showable

__all__ = ["Evidence", "Finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One observation behind a finding.

    Args:
        signal: What was measured, such as `train_loss`.
        window: Where, such as `epochs 1-3` or `file list`.
        observed: The number found.
        threshold: The number it was held against; None for a bare observation.
        source: Where the threshold comes from.
        on_curve: Whether both numbers are values of the signal itself, so that a figure of it can show them.
    """

    signal: str
    window: str
    observed: float | None
    threshold: float | None = None
    source: str = ""
    on_curve: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Showable):
    """A diagnosis with its evidence.

    Args:
        code: Permanent rule code, family and number, such as `DAT001`.
        name: The finding's name, such as `class_imbalance`.
        severity: `info`, `warning` or `error`; the last two give exit status 1.
        confidence: Certainty from 0 to 1.
        subject: What it is about: a layer, a class, the run.
        claim: The sentence to show.
        evidence: What was observed.
        alternatives: Names of other findings that would explain the same.
        remedies: Ways out, best first.
    """

    code: str
    name: str
    severity: Literal["info", "warning", "error"]
    confidence: float
    subject: str
    claim: str
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
