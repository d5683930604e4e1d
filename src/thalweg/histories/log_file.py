"""One file that may be a log: its first bytes, its text and its JSON, each read once and only when asked for."""

import codecs
import json
import re
import stat
import zlib
from functools import cached_property
from pathlib import Path

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.core.strange_yaml import read_yaml
from thalweg.histories.cells import DIGITS
from thalweg.histories.ranks import of_first_rank
from thalweg.histories.said import Lines, said_in
from thalweg.histories.table import Table, read_table

__all__ = ["LARGEST", "LogFile", "parse_json", "unwrapped"]

LARGEST = 1 << 30
"""Bytes of the largest text file that is read; a million rows of ten columns are a tenth of it."""

_HEAD = 4096
_LARGEST_YAML = 5 << 20
_PRINTED = re.compile(
    r"(?:np\.|numpy\.|torch\.)?(?:float|int|tensor|array|tf\.Tensor)\d*\(([^()=]*?)(?:,\s*\w+=(?:[^()]|\([^()]*\))*)?\)"
)
_WRAPPERS = ("float", "int", "tensor", "array", "Tensor")
_WORD = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\b(?:nan|inf|None|True|False)\b")
_COMMAS = re.compile(r"(?<=[=\s])([-+]?\d{1,9}),(\d+)(?![\d.:]|,\S)")
_POINTS = re.compile(r"(?<=[=\s])[-+]?(?:\d{1,9}|\d{1,3}(?:,\d{3})+)\.\d")
_SINGLE = re.compile(r"(?<![\w.])([-+]?\d+\.\d+)f([-+]?\d{1,2})(?![\w.])")  # Julia's numbers of 32 bits
_MAY_BE_SINGLE = re.compile(r"f[-+]?\d")
_TABBED = re.compile(r"(?<=\w)([:=]) ?\t\s{0,9}(?=[-+.\d]|nan|inf)")  # `training loss:` far before its number
_WIDE = DIGITS | str.maketrans("：，；（）％＝［］،؛٪", ":,;()%=[],;%")
_IS_WIDE = re.compile(f"[{re.escape(''.join(map(chr, _WIDE)))}]")
_SAMPLED = 1 << 16
_NOT_PLAIN = ('"', "\\", "(", *("nan", "inf", "None", "True", "False"))
"""What of a printed dictionary is not JSON but for its quotes."""
_MORE = "Extra data"
"""What `json` says of a text that goes on behind a whole value."""
_AS_JSON = {"nan": "NaN", "inf": "Infinity", "None": "null", "True": "true", "False": "false"}
_GZIP = b"\x1f\x8b"
_SHEETS = {".xlsx", ".xls", ".xlsm", ".ods"}
_ZIPPED_OR_PICKLED = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


class LogFile:
    """A file, opened.

    Args:
        path: Where it is.
        place: How it is shown to people; the path by default.

    Raises:
        LogError: It is not there, is no regular file, is empty, or may not be read.
    """

    ranks = 1
    """How many processes printed it, as far as that was looked at; `printed` has the lines of the first."""

    data: bytes | None = None
    """What was packed in the file; None where it is not packed."""

    def __init__(self, path: Path, place: str = "") -> None:
        self.path = path
        self.place = place or printable(path)
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise LogError(f"{self.place} is no regular file: name a log file or a folder that holds some")
            with path.open("rb") as file:
                self.head = file.read(_HEAD)
        except OSError as error:
            raise LogError(f"{self.place} cannot be read: {error.strerror or error}") from None
        except ValueError:  # a NUL byte in the name
            raise LogError(f"{self.place} is no file name") from None
        self.size = found.st_size
        if self.head.startswith(_GZIP):
            self._unpack()
        if not self.head:
            raise LogError(f"{self.place} is empty (0 bytes): the run wrote nothing there, or has not yet")

    def _unpack(self) -> None:
        """Take what is packed by gzip for the file itself."""
        packed, self.data = self.path.read_bytes(), b""
        try:
            while packed.startswith(_GZIP) and len(self.data) <= LARGEST:
                unpacker = zlib.decompressobj(wbits=31)
                self.data += unpacker.decompress(packed, LARGEST + 1 - len(self.data))
                packed = unpacker.unused_data
        except zlib.error:
            raise LogError(
                f"{self.place} is packed by gzip, but damaged: pack it anew, or give what was packed"
            ) from None
        self.head, self.size = self.data[:_HEAD], len(self.data)
        if self.path.suffix.lower() == ".gz":
            self.path = self.path.with_suffix("")

    @classmethod
    def of_text(cls, path: Path, place: str, text: str) -> "LogFile":
        """Make a file of a text that lies within another.

        Args:
            path: Where that one is; its ending says what the text is.
            place: How the text is shown to people.
            text: The text.

        Returns:
            The file.
        """
        file = cls.__new__(cls)
        file.path, file.place, file.size = path, place, len(text)
        file.head = text[:_HEAD].encode("utf-8", "replace")
        file.__dict__["text"] = text
        return file

    @property
    def name(self) -> str:
        """The file's name in small letters."""
        return self.path.name.lower()

    @cached_property
    def text(self) -> str:
        """The file as text: UTF-8, UTF-16 or UTF-32 by its mark, else Latin; without the mark.

        Raises:
            LogError: It is a pickle, another binary file, or too large.
        """
        if self.path.suffix.lower() in _SHEETS:
            raise LogError(f"{self.place} is a spreadsheet, which is not read: save its sheet as CSV and give that")
        if self.head.startswith(_ZIPPED_OR_PICKLED) or self.path.suffix.lower() in {".pkl", ".pickle"}:
            raise LogError(
                f"{self.place} is a pickle or archive, which could run programs when opened: it was not opened; "
                "write JSON instead: json.dump(history.history, open('history.json', 'w'), default=float)"
            )
        if self.size > LARGEST:
            raise LogError(f"{self.place} has {self.size:,} bytes, more than the {LARGEST:,} that are read as text")
        try:
            data = self.path.read_bytes() if self.data is None else self.data
        except OSError as error:
            raise LogError(f"{self.place} cannot be read: {error.strerror or error}") from None
        text = _decode(data)
        if text is None:
            raise LogError(
                f"{self.place} is no text and no log that is known (it begins with {data[:4].hex(' ')}): give the "
                "training log itself, such as history.csv, events.out.tfevents... or trainer_state.json"
            )
        if not text.strip():
            raise LogError(f"{self.place} holds nothing but white space")
        return text

    @property
    def known_text(self) -> str:
        """The text where a reader asked for it; empty for what is read as bytes."""
        return str(self.__dict__.get("text", ""))

    @cached_property
    def printed(self) -> str:
        """The text as lines that one program prints: numbers bare, beside their names, with decimal points."""
        text, self.ranks = of_first_rank(self.text)
        text = text.translate(_WIDE) if not text.isascii() and _IS_WIDE.search(text) else text
        text = unwrapped(text) if "(" in text else text
        text = _SINGLE.sub(r"\1e\2", text) if _MAY_BE_SINGLE.search(text) else text
        text = _TABBED.sub(r"\1 ", text) if "\t" in text else text
        head = text[:_SAMPLED]
        if 2 * len(_POINTS.findall(head)) < len(_COMMAS.findall(head)):
            text = _COMMAS.sub(r"\1.\2", text)
        return text

    @cached_property
    def said(self) -> Lines:
        """What its lines say of training, each read once however many readers ask."""
        return Lines(said_in(self.printed))

    @cached_property
    def json(self) -> object:
        """The file as JSON, YAML by its name, or a printed Python dictionary of numbers; None where it is none."""
        if self.head.startswith(b"SQLite format 3"):
            return None
        start = self.text.lstrip()[:1]
        if self.path.suffix.lower() in {".yaml", ".yml"} and self.size < _LARGEST_YAML:
            try:
                return read_yaml(self.text)
            except ValueError:
                return None
        if start not in {"{", "["}:
            return None
        try:
            return parse_json(self.text)
        except ValueError:
            return None

    @cached_property
    def table(self) -> Table | None:
        """The file as a table; None where it is none, as JSON is not."""
        if self.head.startswith(b"SQLite format 3") or self.text.lstrip()[:1] in {"{", "["}:
            return None
        if self.path.suffix.lower() in {".yaml", ".yml"}:
            return None
        return read_table(self.text, self.place)


def _decode(data: bytes) -> str | None:
    """Turn bytes into text, or None for a binary file."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    head = data[:_HEAD]
    if head[1::2].count(0) > len(head) // 3 and not head[::2].count(0):  # UTF-16 without its mark, as PowerShell may
        return data.decode("utf-16-le", "replace")
    if b"\0" in data.rstrip(b"\0"):
        return None
    data = data.rstrip(b"\0")  # what a power cut leaves at the end of a growing file
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    odd = sum(character < " " and character not in "\t\r\n\f" for character in text[:_HEAD])
    high = sum(character > "\x7e" for character in text[:_HEAD])
    return None if odd > 0 or high > len(text[:_HEAD]) // 4 else text


def parse_json(text: str) -> object:
    """Read JSON, or a dictionary of numbers as Python prints it; nothing is evaluated.

    Args:
        text: The text.

    Returns:
        The value.

    Raises:
        ValueError: It is neither.

    Example:
        >>> parse_json("{'loss': [np.float32(0.5), nan], 'acc': None}")
        {'loss': [0.5, nan], 'acc': None}
    """
    ways = [text] if any(mark in text for mark in _NOT_PLAIN) else [text, text.replace("'", '"')]
    for way in ways:
        try:
            return json.loads(way)
        except RecursionError:
            raise ValueError("nested too deep") from None
        except json.JSONDecodeError as error:
            if error.msg == _MORE:
                raise ValueError(error.msg) from None  # lines of JSON, however they are quoted
    plain = _WORD.sub(lambda found: _quoted(found[0]), unwrapped(text))
    try:
        return json.loads(plain)
    except RecursionError:
        raise ValueError("nested too deep") from None


def unwrapped(text: str) -> str:
    """Take numbers out of what Python prints around them.

    Args:
        text: The text.

    Returns:
        The text with bare numbers.

    Example:
        >>> unwrapped("[tensor(0.25, device='cuda:0'), np.float64(0.5)]")
        '[0.25, 0.5]'
    """
    return _PRINTED.sub(r"\1", text) if any(word in text for word in _WRAPPERS) else text


def _quoted(word: str) -> str:
    """A word of printed Python as JSON spells it."""
    if word.startswith("'"):
        return json.dumps(word[1:-1].replace("\\'", "'"))
    return _AS_JSON.get(word, word)
