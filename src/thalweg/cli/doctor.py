"""`doctor`: the machine, the packages, the places, and what stands in the way."""

import typer

from thalweg.cli.settings import Settings, emit_json
from thalweg.cli.terminal import emit_text, folded

__all__ = ["doctor"]

_TITLES = 11
"""Columns of what a line is about."""


def doctor(context: typer.Context) -> int:
    """Say whether this machine is fit for thalweg, and what is missing for what."""
    settings: Settings = context.obj
    from thalweg.workbench.doctor import doctor as work

    health = work()
    status = int(any(each.severity != "info" for each in health.findings))
    if settings.json:
        emit_json(health)
        return status
    from thalweg.rendering.texts.health import health_lines

    emit_text(folded("".join(f"{line}\n" for line in health_lines(health)), hang=_TITLES))
    return status
