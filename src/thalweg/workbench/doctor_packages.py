"""Which packages thalweg wants, which of them are here, and what is missing for what."""

import importlib.metadata
import re
from collections.abc import Iterator

from thalweg.core.health import Package

__all__ = ["packages_here"]

PURPOSE = {
    "": "everything",
    "demo": "thalweg demo with the photos of solar cells",
    "drive": "Google Drive links as a source",
    "backbones": "pretrained networks (--backbone)",
    "nifti": "volumes in NIfTI files (.nii)",
    "onnx": "thalweg export",
    "fast": "a second opinion on damaged JPEG files",
    "dashboard": "thalweg serve",
    "ray": "labs on a Ray cluster (thalweg lab --ray)",
    "plots": "figures as PNG (thalweg export --png)",
    "mlflow": "runs in MLflow (thalweg export --mlflow)",
    "wandb": "runs for Weights & Biases (thalweg export --wandb)",
    "dev": "the tests",
}
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^]]*)\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def packages_here() -> tuple[Package, ...]:
    """Compare what thalweg declares with what is installed; the extras of development are passed over.

    Returns:
        Required packages first, then those of each extra; empty where thalweg itself is not installed as a package.

    Example:
        >>> {"torch", "numpy"} <= {each.name for each in packages_here()} or packages_here() == ()
        True
    """
    try:
        declared = importlib.metadata.requires("thalweg") or []
    except importlib.metadata.PackageNotFoundError:
        return ()
    found = [each for line in declared for each in _package(line)]
    return tuple(sorted(found, key=lambda each: (each.extra != "", each.extra, each.name)))


def _package(line: str) -> Iterator[Package]:
    match = _REQUIREMENT.match(line)
    if match is None:
        return
    name, _, wanted, condition = match.groups()
    extra = _EXTRA.search(condition or "")
    which = extra.group(1) if extra else ""
    if which in {"dev", "docs"} or name == "thalweg":
        return
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = None
    yield Package(
        name=name,
        wanted=wanted.strip(),
        version=version,
        extra=which,
        needed_for=PURPOSE.get(which, f"the extra {which}"),
        serves=version is not None and serves(version, wanted),
    )


def serves(version: str, wanted: str) -> bool:
    """Tell whether a version lies within what is wanted.

    Args:
        version: Such as `2.9.1+cpu`.
        wanted: Such as `>=2.9,<2.14`.

    Returns:
        Whether it does; conditions of another form than `>=`, `>`, `<=`, `<`, `==`, `!=` are taken as met.

    Example:
        >>> serves("2.9.1+cpu", ">=2.9,<2.14"), serves("2.14.0", ">=2.9,<2.14"), serves("1.26.4", "")
        (True, False, True)
    """
    here = _numbers(version)
    for condition in wanted.split(","):
        match = re.fullmatch(r"\s*(>=|<=|==|!=|>|<)\s*([0-9.]+)\s*", condition)
        if match is None:
            continue
        sign, bound = match.group(1), _numbers(match.group(2))
        width = max(len(here), len(bound))
        one, two = (each + (0,) * (width - len(each)) for each in (here, bound))
        if not {">=": one >= two, "<=": one <= two, "==": one == two, "!=": one != two, ">": one > two, "<": one < two}[
            sign
        ]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    return tuple(map(int, match.group().split("."))) if match else ()
