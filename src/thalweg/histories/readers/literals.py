"""Lists as a program or notebook prints them: `train_losses = [0.9, 0.6]`, `val_loss: [0.8 0.7]`, `history = {...}`.

Numbers may be wrapped (`tensor(0.9, device='cuda:0')`, `np.float64(0.9)`) and stand without commas, as numpy prints
them. A list that is printed again and again while it grows counts as it was at last.
"""

import re
from collections.abc import Mapping, Sequence

from thalweg.core.errors import LogError
from thalweg.histories.cells import number
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile, parse_json, unwrapped
from thalweg.histories.names import judges
from thalweg.histories.readers.history_json import from_mapping
from thalweg.histories.readers.reader import Reader
from thalweg.histories.recording import Recording

__all__ = ["READER"]

_FILES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml"}
_LIST = re.compile(
    r"^[^\S\n]*['\"]?([^\W\d][\w .\-/]{0,60}?)['\"]?[^\S\n]*[:=]\s{0,9}(?:np\.|numpy\.)?(?:array\()?\[([^\[\]]*)\]",
    re.MULTILINE,
)
_MAPPING = re.compile(
    r"\s*(?:[\w. ]{1,60}[=:]|(?:>>>|In ?\[\d{0,4}\]:)[^\n{]{0,200}\n(?:\s*Out ?\[\d{0,4}\]:)?)\s*(\{.*\})[\s;>]*",
    re.DOTALL,
)
_MOST = 4 << 20


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC) or file.path.suffix.lower() in _FILES or len(file.text) > _MOST:
        return False
    return judges(_lists(file.text))


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    found = _lists(file.text)
    if not found:
        raise LogError(f"{file.place} prints no list of numbers")
    return [from_mapping(found, file.place, columns, READER.name)]


def _lists(text: str) -> dict[str, object]:
    """The lists by name."""
    if "[" not in text and "{" not in text:
        return {}
    plain = unwrapped(text)
    if whole := _MAPPING.fullmatch(plain):
        try:
            mapping = parse_json(whole[1])
        except ValueError:
            mapping = None
        if isinstance(mapping, dict):
            return {str(name): cells for name, cells in mapping.items() if isinstance(cells, list) and len(cells) > 1}
    found: dict[str, object] = {}
    for name, inside in _LIST.findall(plain):
        try:
            cells = [number(cell) for cell in re.split(r"\s*,\s*|\s+", inside.strip().rstrip(","))]
        except ValueError:
            continue
        if len(cells) > 1:
            found[" ".join(name.split())] = cells
    return found


READER = Reader(name="printed lists", recognises=_recognises, read=_read)
