"""MLflow's older store of files: `mlruns/<experiment>/<run>/metrics/<name>`, a line `timestamp value step` a value.

A metric named `train/loss` lies in a folder `train`. The run's name and whether it was deleted stand in `meta.yaml`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from thalweg.core.files import printable
from thalweg.core.strange_yaml import read_yaml
from thalweg.histories.readers.mlflow import metric_curve
from thalweg.histories.recording import Curve, Recording

__all__ = ["METRICS", "from_run_folder", "is_run_folder"]

METRICS = "metrics"
_META = "meta.yaml"
_LARGEST_META = 100_000
_PARTS = {2, 3}


def is_run_folder(folder: Path) -> bool:
    """Tell whether a folder is a run of MLflow.

    Args:
        folder: The folder.

    Returns:
        True where it has `meta.yaml` and `metrics/`.
    """
    return (folder / _META).is_file() and (folder / METRICS).is_dir()


def from_run_folder(folder: Path) -> Sequence[Recording]:
    """Read one run.

    Args:
        folder: The run's folder.

    Returns:
        The run, or nothing where it was deleted or has no metric.
    """
    meta = _meta(folder / _META)
    if meta.get("lifecycle_stage") == "deleted":
        return []
    notes: list[str] = []
    curves = []
    for top, folders, names in os.walk(folder / METRICS):
        folders.sort()
        for name in sorted(names):
            path = Path(top, name)
            curve = _curve(path, path.relative_to(folder / METRICS).as_posix(), notes)
            if curve is not None and not curve.name.startswith("system/"):
                curves.append(curve)
    if not curves:
        return []
    title = meta.get("run_name") or meta.get("name")
    place = printable(folder) + (f", run {printable(str(title))}" if title else "")
    return [Recording(place=place, format="MLflow files", curves=tuple(curves), notes=tuple(notes))]


def _curve(path: Path, name: str, notes: list[str]) -> Curve | None:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        notes.append(f"{printable(name)} cannot be read")
        return None
    points = []
    for line in lines:
        parts = line.split()
        try:
            if len(parts) in _PARTS:
                points.append((float(parts[1]), float(parts[2]) if len(parts) > 2 else 0.0))  # noqa: PLR2004 - no step
        except ValueError:
            continue
    lost = sum(bool(line.strip()) for line in lines) - len(points)
    if lost:
        notes.append(f"{printable(name)}: {lost:,} line(s) are not `timestamp value step`: left out")
    usable = [pair for pair in points if abs(pair[1]) < 2.0**53]
    return metric_curve(name, *np.array(usable, dtype=np.float64).T) if usable else None


def _meta(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > _LARGEST_META:
            return {}
        found = read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
