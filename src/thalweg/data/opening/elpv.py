"""The demo photos: 2,624 solar cells of the package `elpv-dataset`, labelled with a probability of being defective.

Source: Buerhop-Lutz et al. 2018, Deitsch et al. 2019. Their labels are 0, 1/3, 2/3 and 1.
"""

import importlib.util
from pathlib import Path

from thalweg.core.dataset import Notice, Sample
from thalweg.core.errors import MissingExtraError, SourceError
from thalweg.core.files import printable

__all__ = ["DEMO_CLASSES", "demo_folder", "read_labels"]

DEMO_CLASSES = ("functional", "defective")
"""Class names in index order: 1 is what one looks for, as scores of a two-class problem expect it."""


def demo_folder() -> Path:
    """Find the installed photos.

    Returns:
        The folder that holds `labels.csv` and `images/`.

    Raises:
        MissingExtraError: The package is not installed.
        SourceError: The package holds no labels.
    """
    found = importlib.util.find_spec("elpv_dataset")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError("elpv-dataset", "demo", "for the solar-cell photos")
    root = Path(found.submodule_search_locations[0], "data")
    if not (root / "labels.csv").is_file():
        raise SourceError(f"{printable(root)}: the installed elpv-dataset holds no labels.csv; install it again")
    return root


def read_labels(root: Path, *, above: float) -> tuple[tuple[Sample, ...], tuple[Notice, ...]]:
    """Read the table of photos and probabilities.

    Args:
        root: The folder that holds `labels.csv`.
        above: A photo counts as defective when its probability is greater than this, 0 to 1.

    Returns:
        The labelled files, sorted by name, and those that the table names but the folder lacks.

    Raises:
        SourceError: The table cannot be read.
    """
    samples, missing = [], []
    try:
        lines = (root / "labels.csv").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{printable(root / 'labels.csv')}: cannot be read ({error})") from None
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            file, probability = fields[0], float(fields[1])
        except (IndexError, ValueError):
            place = f"{printable(root / 'labels.csv')}, line {number}"
            raise SourceError(
                f"{place}: a file name and a probability are wanted; install elpv-dataset again"
            ) from None
        if (root / file).is_file():
            samples.append(Sample(file, int(probability > above)))
        else:
            missing.append(Notice(file, "labels.csv names it, but it is not there"))
    return tuple(sorted(samples, key=lambda sample: sample.file)), tuple(missing)
