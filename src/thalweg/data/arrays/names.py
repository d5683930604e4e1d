"""What a picture of an array is called: part, class, array and row, as a file in class folders would be.

Runs, split files and tables of earlier versions name pictures so, and the order of names decides the split.
"""

from collections.abc import Sequence

from thalweg.data.arrays.part import ArrayPart

__all__ = ["folder_names", "frames_of_names", "picture_name"]

_FOLDERS = {"train": "train/", "validation": "val/", "test": "test/", None: ""}


def frames_of_names(parts: Sequence[ArrayPart]) -> list[tuple[str, str]]:
    """Find what the pictures of each part have in their names before and behind their class.

    Args:
        parts: All parts of a source; one alone is no split, and is not named.

    Returns:
        The folder of each part, and the array.
    """
    split = len({part.part for part in parts}) > 1
    stems = [_safe(part.file.removesuffix(".gz").removesuffix(".npz").removesuffix(".bin")) for part in parts]
    return [(_FOLDERS[part.part] if split else "", stem) for part, stem in zip(parts, stems, strict=True)]


def picture_name(frame: tuple[str, str], index: int, folder: str = "") -> str:
    """Name a picture of an array.

    Args:
        frame: What `frames_of_names` gave for its part.
        index: Its row there.
        folder: Its class, as a folder could be called; nothing where it is not known.

    Returns:
        The name.

    Example:
        >>> picture_name(("test/", "x"), 2, "cat"), picture_name(("", "x"), 2)
        ('test/cat/x-000002.png', 'x-000002.png')
    """
    top, stem = frame
    return f"{top}{folder}/{stem}-{index:06d}.png" if folder else f"{top}{stem}-{index:06d}.png"


def folder_names(classes: Sequence[str]) -> list[str]:
    """Names for classes, which may have been called anything, as folders could have them.

    Args:
        classes: Their names.

    Returns:
        A name for each, no two alike.

    Example:
        >>> folder_names(["cat/dog", "cat:dog"])
        ['cat_dog', 'cat_dog (1)']
    """
    names: list[str] = []
    for number, name in enumerate(classes):
        safe = _safe(name) or f"class {number}"
        names.append(safe if safe.lower() not in {each.lower() for each in names} else f"{safe} ({number})")
    return names


def _safe(name: str) -> str:
    kept = "".join("_" if character in "/\\\0:" or not character.isprintable() else character for character in name)
    return kept.strip(". ")[:100]
