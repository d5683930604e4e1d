"""The answer of `thalweg doctor` as lines for a terminal."""

from collections.abc import Iterator

from thalweg.core.health import Health, Package
from thalweg.core.languages import said
from thalweg.rendering.columns import fenced, to_left
from thalweg.rendering.markup import capitalised

__all__ = ["health_lines"]

_TITLE = 11  # width of the first column


def health_lines(health: Health) -> Iterator[str]:
    """Write the answer as text.

    Args:
        health: What was found.

    Yields:
        One line after the other.

    Example:
        >>> from thalweg.workbench.doctor import doctor
        >>> next(health_lines(doctor())).startswith("thalweg    0.")
        True
    """
    processor, torch = health.processor, health.torch
    features = ", ".join(processor.features) or "unknown instructions"
    yield _line("thalweg", f"{health.thalweg}, Python {health.python}, {health.system}")
    yield _line("processor", f"{processor.name}: {processor.usable} of {processor.cores} cores, {features}")
    own = "multiplies bfloat16 itself" if processor.bfloat16 else "multiplies float32"
    yield _line("", f"{own}; torch takes {processor.threads} thread{'s' * (processor.threads != 1)}")
    if processor.memory_gib is not None:
        yield _line("memory", f"{processor.free_memory_gib} of {processor.memory_gib} GiB free")
    if torch.version is None:
        yield _line("torch", "is not installed")
    else:
        where = {"cpu": "the processor", "cuda": torch.accelerator, "mps": torch.accelerator}.get(torch.device)
        yield _line("torch", f"{torch.version} ({torch.build}), computes on {where}")
    yield from _packages(health.packages)
    for place in health.places:
        able = "" if place.writable else ", may not be written"
        title = "temporary" if place.what == "temporary files" else place.what
        yield _line(title, f"{place.path}: {_room(place.free_bytes)} free{able}")
    yield _line("clock", health.clock.replace("T", " "))
    yield ""
    for each in health.findings:
        yield f"{said(each.severity)}: {said(each.claim)}. {capitalised(said(each.remedy))}."
    serious = sum(each.severity != "info" for each in health.findings)
    yield said("Nothing stands in the way." if not serious else f"{serious} of these should be mended.")


def _packages(packages: tuple[Package, ...]) -> Iterator[str]:
    required = [each for each in packages if not each.extra]
    here = sum(each.serves for each in required)
    if required:
        yield _line("packages", f"{here} of {len(required)} required ones are here")
    extras: dict[str, list[Package]] = {}
    for each in packages:
        if each.extra:
            extras.setdefault(each.extra, []).append(each)
    for name, members in extras.items():
        missing = [each.name for each in members if each.version is None]
        if missing:
            yield _line("", f"without {', '.join(missing)}: no {members[0].needed_for}; pip install 'thalweg[{name}]'")
        else:
            yield _line("", f"{name}: {members[0].needed_for}")


def _room(free_bytes: int) -> str:
    return f"{free_bytes / 2**30:,.1f} GiB"


def _line(title: str, text: str) -> str:
    return fenced(to_left(said(title, "doctor"), _TITLE)) + said(text)
