"""Tables and lists that lie beside the files of a source, or around them up to the folder that the user named."""

from collections.abc import Collection, Iterator
from pathlib import Path

from thalweg.data.files.walk import list_folder

__all__ = ["files_around", "lines_of"]


def files_around(root: Path, top: Path, places: Collection[str], endings: tuple[str, ...]) -> Iterator[list[Path]]:
    """Find files by their endings, level by level outward.

    Args:
        root: The folder that the samples' names are relative to.
        top: The folder that the user named, around that one or the same.
        places: Names of folders, in small letters, that are looked into at each level.
        endings: How the files end, in small letters.

    Yields:
        Those of one level.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Path(folder, "labels.csv").touch()
        ...     [[path.name for path in level] for level in files_around(Path(folder), Path(folder), (), (".csv",))]
        [['labels.csv']]
    """
    around = [root, *root.parents]
    for level in around[: around.index(top) + 1] if top in around else [root]:
        listing = list_folder(str(level))
        inside = [""] + [name for name in listing.folders if name.lower() in places]
        yield [
            level / place / name
            for place in inside
            for name in (list_folder(str(level), place) if place else listing).files
            if name.lower().endswith(endings)
        ]


def lines_of(path: Path) -> list[str]:
    """Read the lines of a list.

    Args:
        path: A text.

    Returns:
        What stands in them, stripped, without empty ones; nothing where it cannot be read.

    Example:
        >>> lines_of(Path("/nowhere/at/all.txt"))
        []
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
