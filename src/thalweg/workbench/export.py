"""`thalweg export`: a trained network for other programs, verified before it is believed."""

from pathlib import Path

from thalweg.core.errors import PlanError
from thalweg.core.results import ExportResult
from thalweg.exporting.onnx import PIXELS, export_onnx
from thalweg.workbench.model import open_model

__all__ = ["export"]


def export(run: str | Path, *, onnx: bool = True, out: str | Path | None = None) -> ExportResult:
    """Write a finished run's network as ONNX, checked against onnxruntime at two batch sizes.

    Args:
        run: The run folder.
        onnx: Whether to write ONNX, so far the only format.
        out: The file to write; `model.onnx` in the run folder by default.

    Returns:
        The file, its size, and its largest difference from torch.

    Raises:
        RunError: There is no finished run, or the file disagrees with torch.
        PlanError: No format is named.
        MissingExtraError: The extra `onnx` is not installed.

    Example:
        >>> export("runs/none")
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    if not onnx:
        raise PlanError("no format is named: give --onnx")
    model = open_model(run, device="cpu")
    path = Path(out) if out else model.folder.path / "model.onnx"
    _, final = model.spec.logits()
    reading = model.summary.reading
    done = export_onnx(
        model.module,
        model.shape,
        path,
        class_names=model.summary.classes,
        final=final,
        takes=PIXELS
        if reading is None
        else f"float32 {reading.form}s as they were measured, channels first; standardising is part of the network",
    )
    return ExportResult(
        path=str(path),
        format="onnx",
        bytes=done.size_bytes,
        max_difference=done.maximum_difference,
        batch_sizes=done.batch_sizes,
    )
