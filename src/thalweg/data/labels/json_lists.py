"""Lists of pictures and their classes in JSON, as rows of a table: names and classes, records, and labelling tools.

    {"a.jpg": "cat", "b.jpg": "dog"}                      [{"file": "a.jpg", "label": "cat"}, ...]; one a line in .jsonl
    {"a.jpg": {"label": "cat", "split": "train"}}         {"cat": ["a.jpg", "c.jpg"], "dog": ["b.jpg"]}
    COCO: images, categories, and annotations without boxes
    Label Studio: tasks with choices                      VGG Image Annotator: file_attributes

What the columns mean is told as for every table. Only names are read here; no file that is named is opened.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from thalweg.core.errors import SourceError
from thalweg.core.files import printable

__all__ = ["JSON_LISTS", "json_rows"]

JSON_LISTS = (".json", ".jsonl")
"""Endings of such lists."""

_UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # Label Studio's own beginning of a name
_IMAGES = ("image", "img", "file", "filename", "path", "url")
_MOST_COLUMNS = 64

Rows = list[list[str]]


def json_rows(path: Path) -> Rows:
    """Read a JSON file as a table with a header.

    Args:
        path: The file.

    Returns:
        Its rows; none where it is no list of names and classes.

    Raises:
        SourceError: It is no JSON, too deep, or says two things of one name.
        OSError: It cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "labels.json").write_text('{"a.jpg": "cat", "b.jpg": 3}')
        ...     json_rows(Path(folder, "labels.json"))
        [['file', 'label'], ['a.jpg', 'cat'], ['b.jpg', '3']]
    """
    shown = printable(path.name)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if path.suffix.lower() == ".jsonl":
            data: Any = [json.loads(line, object_pairs_hook=_once) for line in text.splitlines() if line.strip()]
        else:
            data = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise SourceError(f"{shown}: its lists lie too deep inside one another to be a list of files") from None
    except _TwiceError as error:
        raise SourceError(f"{shown}: {error.name} stands there twice, with different values") from None
    except ValueError as error:
        raise SourceError(f"{shown}: no JSON ({error})") from None
    if isinstance(data, dict):
        return _of_object(data)
    return _of_list(data) if isinstance(data, list) else []


class _TwiceError(ValueError):
    """A name with two values."""

    def __init__(self, name: str) -> None:
        self.name = printable(name)[:60]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made and made[name] != value:
            raise _TwiceError(name)
        made[name] = value
    return made


def _of_object(data: Mapping[str, Any]) -> Rows:
    data = data.get("_via_img_metadata", data) if isinstance(data.get("_via_img_metadata", data), dict) else data
    values = list(data.values())
    if _are_records(data.get("images")) and _are_records(data.get("annotations")):
        return _of_coco(data)
    if values and all(isinstance(value, dict) and "file_attributes" in value for value in values):
        return _table({"file": value.get("filename"), **_attributes(value)} for value in values)
    if _are_records(values):
        return _table({"file": name, **value} for name, value in data.items())
    if values and all(isinstance(value, list) and all(isinstance(each, str) for each in value) for value in values):
        named = any("." in file for files in values for file in files)
        if named and not any("." in name for name in data):  # classes, and their files
            return [["file", "label"], *([file, name] for name, files in data.items() for file in files)]
    fits = bool(values) and all(map(_is_cell, values))
    return _table({"file": name, "label": value} for name, value in data.items()) if fits else []


def _of_list(data: Sequence[Any]) -> Rows:
    if data and all(isinstance(each, list) and len(each) > 1 and all(map(_is_word, each)) for each in data):
        return [[_word(value) for value in each] for each in data]
    if not _are_records(data):
        return []
    if all(isinstance(each.get("data"), dict) and "annotations" in each for each in data):
        return _table(_of_studio(data))
    return _table(data)


def _of_coco(data: Mapping[str, Any]) -> Rows:
    """Classes of whole pictures; nothing where there are boxes, of which another sentence speaks."""
    if any(each.get("bbox") or each.get("segmentation") for each in data["annotations"]):
        return []
    categories = data.get("categories")
    names = {_word(each.get("id")): each.get("name") for each in categories} if _are_records(categories) else {}
    classes: dict[str, list[str]] = {}
    for each in data["annotations"]:
        number = _word(each.get("category_id"))
        name, known = _word(names.get(number, number)), classes.setdefault(_word(each.get("image_id")), [])
        if name not in known:
            known.append(name)
    return _table(
        {"file": each.get("file_name"), "label": classes.get(_word(each.get("id")), [])} for each in data["images"]
    )


def _of_studio(tasks: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Label Studio's tasks: the picture as it was uploaded, as it was called before, and the choices made."""
    for task in tasks:
        fields = {name.lower(): value for name, value in task["data"].items() if isinstance(value, str)}
        place = next((fields[name] for name in _IMAGES if name in fields), next(iter(fields.values()), ""))
        place = place.rpartition("?d=")[2]
        chosen: list[str] = []
        for made in task["annotations"] if _are_records(task["annotations"]) else []:
            results = made.get("result")
            for result in results if _are_records(results) else []:
                value = result.get("value")
                choices = value.get("choices", []) if isinstance(value, dict) else []
                chosen += [_word(each) for each in choices if _word(each) not in chosen]
        yield {"file": place, "name": _UPLOADED.sub("", place.rpartition("/")[2]), "label": chosen}


def _attributes(value: Mapping[str, Any]) -> dict[str, Any]:
    """What VGG Image Annotator says of a whole picture; of check boxes those that are ticked."""
    said = value["file_attributes"] if isinstance(value["file_attributes"], dict) else {}
    return {
        name: [key for key, ticked in each.items() if ticked] if isinstance(each, dict) else each
        for name, each in said.items()
        if name != "file"
    }


def _table(records: Iterable[Mapping[str, Any]]) -> Rows:
    """Records as rows under a header of all their names; what is no word, nor a list of words, is passed over."""
    rows = [{name: value for name, value in each.items() if _is_cell(value)} for each in records]
    header = list(dict.fromkeys(name for row in rows for name in row))[:_MOST_COLUMNS]
    return [header, *([_word(row.get(name)) for name in header] for row in rows)] if rows and header else []


def _are_records(value: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _is_word(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _is_cell(value: object) -> bool:
    return _is_word(value) or (isinstance(value, list) and all(map(_is_word, value)))


def _word(value: object) -> str:
    """A cell: one word for a list of one, and of several a list, which is refused where one class is wanted."""
    if isinstance(value, list):
        return _word(value[0]) if len(value) == 1 else f"[{', '.join(map(_word, value))}]" if value else ""
    return "" if value is None else str(value).strip()
