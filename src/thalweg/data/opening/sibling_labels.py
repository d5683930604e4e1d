"""Classes in a file of its own beside each picture or recording, as WebDataset's shards have them.

    000.jpg 000.cls           a number or a word; also .cls.txt, .label, .class
    000.jpg 000.json          {"label": "cat"}; also class, cls, target, category

What two files have in common is the name up to the first dot. Shards (`train-0000.tar`, `train-0001.tar`,
`val-0000.tar`) are unpacked into one folder a part, where the shard stands before each name.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from thalweg.core.dataset import Notice
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.files.part_names import part_within
from thalweg.data.files.walk import list_folder
from thalweg.data.opening.archive import unpack

__all__ = ["classes_beside", "shards_in", "unpack_shards"]

_ENDINGS = (".cls", ".cls.txt", ".label", ".class", ".json", ".label.txt")
_KEYS = ("label", "class", "cls", "target", "category", "label_name", "class_name", "class_label", "class_id")
_LARGEST = 1 << 16
_LOOKED_AT = 8
_MOST = 0.5
_NOTES = (".txt", ".md", ".json", ".idx", ".tsv")


def classes_beside(root: Path, files: Sequence[str]) -> dict[str, str]:
    """Read the class of each file from the one beside it.

    Args:
        root: The source's folder.
        files: Pictures or recordings.

    Returns:
        File to class, of those that have one; nothing unless most of the first ones do.
    """
    first = files[:: max(1, len(files) // _LOOKED_AT)][:_LOOKED_AT]
    told = [_class_beside(root, file) for file in first]
    if not first or sum(map(bool, told)) <= _MOST * len(first):
        return {}
    return {file: name for file in files if (name := _class_beside(root, file))}


def _class_beside(root: Path, file: str) -> str:
    folder, _, name = file.rpartition("/")
    stem = os.path.join(folder, name.partition(".")[0])  # noqa: PTH118 - names may not be valid text for Path
    for ending in _ENDINGS:
        path = root / f"{stem}{ending}"
        try:
            if not path.is_file() or path.stat().st_size > _LARGEST:
                continue
            text = path.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeError):
            continue
        if name := _of_json(text) if ending == ".json" else text.partition("\n")[0].strip():
            return name
    return ""


def _of_json(text: str) -> str:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    said = next((held[key] for key in _KEYS if key in held), "") if isinstance(held, dict) else held
    return str(said).strip() if isinstance(said, str | int) and not isinstance(said, bool) else ""


def shards_in(path: Path) -> tuple[Path, ...]:
    """Find the shards of a source that is a folder of such.

    Args:
        path: The folder.

    Returns:
        The archives, sorted; nothing where anything but them and notes lies there.

    Example:
        >>> shards_in(Path("no/such/folder"))
        ()
    """
    listing = list_folder(os.fspath(path))
    shards = [name for name in listing.files if name.lower().endswith(".tar")]
    others = [name for name in listing.files if name not in shards and not name.lower().endswith(_NOTES)]
    return () if others or listing.all_folders else tuple(path / name for name in sorted(shards))


def unpack_shards(shards: Sequence[Path], folder: Path) -> tuple[Notice, ...]:
    """Unpack shards into one folder a part.

    Args:
        shards: What `shards_in` gave.
        folder: Where to; made here.

    Returns:
        Members that were not unpacked, with the reason.

    Raises:
        SourceError: A shard is damaged or too large.
    """
    left_out: list[Notice] = []
    folder.mkdir(parents=True, exist_ok=True)
    for shard in shards:
        stem = shard.name.rpartition(".")[0].replace(".", "-")
        aside = folder / f".{stem}"
        try:
            left_out += unpack(shard, aside)
        except SourceError as error:
            raise SourceError(f"{printable(shard.name)}: {str(error).partition(': ')[2] or error}") from None
        place = folder / (part_within(stem) or "shards")
        place.mkdir(exist_ok=True)
        for above, _, names in os.walk(aside):
            within = os.path.relpath(above, aside).replace(os.sep, "-")
            for name in names:
                kept = "-".join(each for each in (stem, within if within != "." else "", name) if each)
                Path(above, name).rename(place / kept)
        for above, folders, _ in os.walk(aside, topdown=False):
            for name in folders:
                Path(above, name).rmdir()
        aside.rmdir()
    return tuple(left_out)
