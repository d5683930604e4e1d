"""What `derive` reads from files: a case in YAML or JSON, and a student's answer in these or as text."""

import json
import re
from pathlib import Path
from typing import Any

from thalweg.core.errors import SpecError
from thalweg.core.files import printable
from thalweg.core.strange_yaml import read_yaml

__all__ = ["CASE_KEYS", "is_case_file", "read_answer", "read_case"]

CASE_KEYS = (
    "kind", "x", "f", "bias", "stride", "padding", "dilation", "groups", "head", "prove", "check",
    "network", "layer", "at", "input", "classes",
)  # fmt: skip
"""What a case may say, in the words of the options."""

_LARGEST_BYTES = 1 << 20
_ENDINGS = (".yaml", ".yml", ".json")


def is_case_file(named: str) -> bool:
    """Tell whether a word names a file that may hold a case.

    Args:
        named: What stands on the command line.

    Returns:
        True for names that end in `.yaml`, `.yml` or `.json`.

    Example:
        >>> is_case_file("case.yaml"), is_case_file("conv2d")
        (True, False)
    """
    return named.lower().endswith(_ENDINGS)


def read_case(path: Path) -> dict[str, Any] | None:
    """Read a case.

    Args:
        path: A YAML or JSON file.

    Returns:
        The options by their names; None where the file describes a network instead.

    Raises:
        SpecError: The file cannot be read, is no mapping, or has a key that no case has.

    Example:
        >>> read_case(Path("no.yaml"))
        Traceback (most recent call last):
        thalweg.core.errors.SpecError: no.yaml: No such file or directory
    """
    place = printable(path)
    data = _parsed(_text(path), path)
    if not isinstance(data, dict):
        raise SpecError(f"{place}: a case is a list of options such as `x: 3x3`; this is {_called(data)}")
    if "layers" in data:
        return None
    unknown = [str(key) for key in data if key not in CASE_KEYS]
    if unknown:
        raise SpecError(f"{place}: {printable(unknown[0])!r} is no option of a case; known are {', '.join(CASE_KEYS)}")
    return {key: _exact(value) for key, value in data.items()}


def read_answer(given: object) -> object:
    """Read a student's answer.

    Args:
        given: A literal such as `[[c*f1, c*f2]]`, the path of a file, or values already.

    Returns:
        Values, or the text of a literal; the engine reads that.

    Raises:
        SpecError: The file cannot be read.

    Example:
        >>> read_answer("[[1, 2]]")
        '[[1, 2]]'
    """
    if not isinstance(given, str | Path):
        return given
    path = Path(given)
    try:
        there = path.is_file()
    except (OSError, ValueError):  # too long for a name: a literal
        there = False
    if not there:
        words = str(given)
        if isinstance(given, Path) or re.fullmatch(r"[^\[\]{}()*+]*\.\w{2,5}", words.strip()) or not words.strip():
            raise SpecError(
                f"--check {printable(words.strip()) or repr('')}: there is no such file, and it is no list of entries"
            )
        return _unquoted(words)
    text = _text(path)
    if path.suffix.lower() in _ENDINGS:
        return _exact(_parsed(text, path))
    return _unquoted(text.strip())


def _unquoted(text: str) -> object:
    """Lists whose entries stand in quotation marks, as JSON and Python write them; other lists stay text."""
    if not {'"', "'"} & set(text):
        return text
    try:
        return _exact(json.loads(text.replace("'", '"')))
    except (ValueError, RecursionError):  # the engine says what is wrong with it
        return text


def _text(path: Path) -> str:
    place = printable(path)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SpecError(f"{place}: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > _LARGEST_BYTES:
        raise SpecError(f"{place}: more than {_LARGEST_BYTES >> 20} MB; no case on paper is that long")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{place}: byte {error.start} is not UTF-8 text") from None
    if not text.strip():
        raise SpecError(f"{place} is empty")
    return text


def _parsed(text: str, path: Path) -> object:
    place = printable(path)
    try:
        return json.loads(text) if path.suffix.lower() == ".json" else read_yaml(text)
    except RecursionError:
        raise SpecError(f"{place}: lists within lists go too deep") from None
    except json.JSONDecodeError as error:
        raise SpecError(f"{place}: no JSON: {error}") from None
    except ValueError as error:
        raise SpecError(f"{place}: {error}") from None


def _exact(value: object) -> object:
    """Decimals as they were written: 0.1 is one tenth here, not the float beside it."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return [_exact(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _exact(each) for key, each in value.items()}
    return value


def _called(data: object) -> str:
    return {list: "a list", str: "text", type(None): "nothing"}.get(type(data), type(data).__name__)
