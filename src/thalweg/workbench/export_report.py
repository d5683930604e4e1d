"""What `thalweg export` makes of a run's report: a model card, its tables as CSV, its figures as SVG and PNG."""

import contextlib
from dataclasses import replace
from pathlib import Path

from thalweg.core.codec import from_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.errors import PictureError, RunError
from thalweg.core.evaluation import Evaluation
from thalweg.core.files import printable, write_atomically
from thalweg.core.languages import speaker, spoken
from thalweg.core.plan import TrainingPlan
from thalweg.core.report import (
    Block,
    Comparisons,
    Curves,
    Drawing,
    Matrix,
    Paragraph,
    PictureGrid,
    Report,
)
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.data.decoding.decode import decode
from thalweg.exporting.model_card import is_as_written, model_card, sealed
from thalweg.exporting.png import svg_png, undrawn_letters
from thalweg.exporting.tables import file_name, report_tables
from thalweg.rendering.figures.confusion_drawing import draw_matrix
from thalweg.rendering.figures.curves import draw_curves
from thalweg.rendering.figures.picture_sheet import draw_sheet
from thalweg.rendering.pages.drawings import check_drawing
from thalweg.rendering.said_drawing import said_drawing
from thalweg.rendering.translated import translated_block
from thalweg.workbench.reporting.parts import provenance, reproduction_blocks

__all__ = ["NOT_OF_THE_ANSWER", "write_card", "write_figures", "write_tables"]

NOT_OF_THE_ANSWER = ("evaluation", "segmentation", "safety")
"""What `metrics.json` holds besides the answer of `train`."""


def write_card(folder: RunFolder, path: Path) -> tuple[str, ...]:
    """Write the model card of a finished run.

    Args:
        folder: The run.
        path: The file.

    Returns:
        The file written.

    Raises:
        RunError: The run is not finished, or the card that is there was filled in or written by somebody.
    """
    if path.is_file() and not is_as_written(path.read_bytes()):
        raise RunError(
            f"{printable(path)} has been filled in, or is not of thalweg: move it away, or name another file with --out"
        )
    metrics = folder.read_json("metrics.json")
    kept = {name: metrics.pop(name, None) for name in NOT_OF_THE_ANSWER}
    evaluation = kept["evaluation"]
    plan = TrainingPlan.from_toml(folder.read_text("plan.toml"), "plan.toml")
    command, repeats = [block.text for block in reproduction_blocks(folder, plan) if isinstance(block, Paragraph)][:2]
    card = model_card(
        from_plain(TrainResult, metrics, "metrics.json"),
        summary=from_plain(DataSummary, folder.read_json("data.json"), "data.json"),
        evaluation=None if evaluation is None else from_plain(Evaluation, evaluation, "metrics.json"),
        provenance=provenance(folder, plan),
        command=command,
        repeats=repeats,
    )
    write_atomically(path, sealed(card))
    return (str(path),)


def write_tables(report: Report, place: Path) -> tuple[str, ...]:
    """Write every table of a report as CSV.

    Args:
        report: The report.
        place: The folder for them; made where it is missing.

    Returns:
        The files written.
    """
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in report_tables(report):
        write_atomically(place / name, text)
        written.append(str(place / name))
    return tuple(written)


def write_figures(
    report: Report, place: Path, *, png: bool = False, pictures: bool = True
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write every figure of a report as SVG in the language of the moment, as PNG too where asked.

    Args:
        report: The report.
        place: The folder for them; made where it is missing.
        png: Whether to write PNG as well.
        pictures: Whether pictures are figures, too: a sheet of them for each place of the report that shows some.

    Returns:
        The files written, and what is not as it should be.

    Raises:
        MissingExtraError: PNG is asked for without resvg.
        PlanError: PNG is asked for on a machine without fonts.
    """
    place.mkdir(parents=True, exist_ok=True)
    written, number, boxes = [], 0, ""
    for section in report.sections:
        for block in section.blocks:
            if isinstance(block, Paragraph) or (not pictures and isinstance(block, PictureGrid | Comparisons)):
                continue
            svg = _drawn(block)
            if svg is None:
                continue
            number += 1
            files: dict[str, bytes | str] = {"svg": svg}
            if png:
                files["png"] = svg_png(svg)
                boxes += undrawn_letters(svg)
            for ending, content in files.items():
                path = place / file_name(number, section.title, block.caption, ending)
                write_atomically(path, content)
                written.append(str(path))
    if not boxes:
        return tuple(written), ()
    lacking = "".join(dict.fromkeys(boxes))
    note = f"no font of this machine has the letters {printable(lacking)}: PNG shows boxes, SVG has them"
    return tuple(written), (note,)


def _drawn(block: Block) -> str | None:
    """A block as a figure in the language of the moment; None where it is none."""
    language = spoken()
    voice = speaker(language, isolated=True)
    match block:
        case Curves():
            return draw_curves(translated_block(block, language), voice=voice)
        case Drawing():
            return check_drawing(said_drawing(block.svg, voice))
        case Matrix():
            return check_drawing(said_drawing(draw_matrix(block).svg, voice))
        case PictureGrid() | Comparisons():
            return _sheet(block, language)
        case _:
            return None


def _sheet(block: PictureGrid | Comparisons, language: str) -> str | None:
    """A page may come from anywhere: a picture that cannot be read, or is far too large, is left out."""
    sizes: dict[bytes, tuple[int, int]] = {}
    pictures = (
        block.pictures if isinstance(block, PictureGrid) else [e for p in block.pictures for e in (p.truth, p.answer)]
    )
    for picture in pictures:
        with contextlib.suppress(PictureError):
            high, wide = decode(picture.data).pixels.shape[:2]
            sizes[picture.data] = wide, high
    if isinstance(block, PictureGrid):
        block = replace(block, pictures=tuple(each for each in block.pictures if each.data in sizes))
    else:
        pairs = tuple(each for each in block.pictures if {each.truth.data, each.answer.data} <= sizes.keys())
        block = replace(block, pictures=pairs)
    return draw_sheet(translated_block(block, language), sizes=sizes, language=language) if block.pictures else None
