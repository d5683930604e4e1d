"""What the pixels of a source's masks mean: a table's numbers or colours, or what can be seen without one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from thalweg.core.errors import PictureError, SourceError
from thalweg.core.files import printable
from thalweg.core.masks import VOID, Colour, voc_palette
from thalweg.data.masks.classes import ClassTable
from thalweg.data.masks.decode import MaskCoding, read_held, spelled_colour
from thalweg.data.masks.lossy import is_black_and_white, reach_of

__all__ = ["choose_coding"]

MOST_CLASSES = 254
_LOOKED_AT = 24
_MANY = 64
_BINARY = frozenset({0, 255})
_WIDE = frozenset({0, (1 << 16) - 1})  # black and white in 16 bits
_MOST_GREYS, _DARK, _EXTREME = 16, 64, 0.8  # masks with more values, of which few pixels are neither black nor white
_FEWEST_COUNTED = 6  # masks and objects, before numbers are taken for counts
_APART = 32  # between greys that are chosen to be seen; numbers of classes follow one another


def choose_coding(root: Path, masks: Sequence[str], table: ClassTable | None, source: str) -> MaskCoding:
    """Decide what the pixels of a source's masks mean.

    Args:
        root: The source's folder.
        masks: Its masks.
        table: Its classes, where a table says them.
        source: As the user named it, for messages.

    Returns:
        The coding.

    Raises:
        SourceError: Colours without a table, or fewer than two classes.
    """
    step = 1 if table is None else max(1, len(masks) // _LOOKED_AT)
    palette = table is not None and not table.numbered and all(row.colour for row in table.rows)
    seen = _Seen()
    for mask in masks[::step]:
        seen.look(root / mask, palette=palette)
        if table is None and len(seen.values) > MOST_CLASSES + 1 and not seen.lossy and not seen.smeared:
            break
    if not seen.read:
        raise SourceError(f"{printable(source)}: no mask of {len(masks):,} can be read; {seen.problem}")
    if seen.coloured:
        coding = replace(_colours(table, seen.values, source), through_palette=palette)
    else:
        if _may_be_binary(table, seen):
            for mask in masks:  # before 255 is taken for a class, no mask must say that it is none
                seen.look(root / mask, palette=False)
        coding = _numbers(table, seen, source)
    return replace(coding, reach=coding.reach or reach_of(coding.meaning, coloured=coding.coloured))


class _Seen:
    """What masks were found to hold."""

    def __init__(self) -> None:
        self.values: set[int] = set()
        self.coloured = self.lossy = self.read = 0
        self.grey = self.white = False
        self.palette: tuple[Colour, ...] = ()
        self.problem = ""
        self.pixels = self.extreme = 0
        self.tops: set[int] = set()
        self.gaps = 0

    @property
    def binary(self) -> bool:
        """Whether masks hold 0 and 255 alone, or what JPEG makes of them."""
        return self.values == _BINARY or (bool(self.lossy) and self.white and not self.grey)

    @property
    def smeared(self) -> bool:
        """Whether masks were black and white before they were resized: few pixels are grey, and these of many kinds."""
        ends = {0, VOID} <= self.values and max(self.values) == VOID and not self.coloured and not self.palette
        mixed = len(self.values) > _MOST_GREYS and any(_DARK < value < VOID - _DARK for value in self.values)
        return ends and mixed and self.extreme >= _EXTREME * self.pixels

    @property
    def doubt(self) -> str:
        """What to say where each mask holds 0, 1, 2 ... up to a number of its own, as masks that count objects do."""
        many = self.read >= _FEWEST_COUNTED and len(self.tops) > 2  # noqa: PLR2004 - not with objects and without
        counted = many and not self.gaps and max(self.tops) >= _FEWEST_COUNTED
        return "; each mask counts from 0 on: if these are numbers of objects, save them as 0 and 1" if counted else ""

    @property
    def spread(self) -> bool:
        """Whether numbers lie as far apart as greys that are chosen to be seen; then 255 is the last of them."""
        found = sorted(self.values)
        return len(found) > 2 and found[-1] == VOID and bool(np.diff(found).min() >= _APART)  # noqa: PLR2004 - and not two

    def look(self, path: Path, *, palette: bool) -> None:
        """Look into a mask.

        Args:
            path: The file.
            palette: Whether the colours of a palette are wanted.
        """
        try:
            held = read_held(path, through_palette=palette)
        except PictureError as error:
            self.problem = self.problem or f"{printable(path.name)}: {error}"
            return
        self.read, self.coloured, self.lossy = self.read + 1, self.coloured + held.coloured, self.lossy + held.lossy
        self.palette = self.palette or held.palette
        self.values |= set(np.unique(held.values).tolist())
        own = np.unique(held.values)
        self.tops.add(int(own[-1]))
        self.gaps += len(own) != int(own[-1]) + 1
        self.pixels += held.values.size
        self.extreme += int(((held.values == 0) | (held.values == VOID)).sum())
        self.grey = self.grey or held.coloured or not is_black_and_white(held.values)
        self.white = self.white or bool((held.values > VOID // 2).any())


def _may_be_binary(table: ClassTable | None, seen: _Seen) -> bool:
    """Whether masks hold 0 and 255 where the table numbers two classes 0 and 1."""
    return table is not None and seen.binary and [row.value for row in table.rows] == [0, 1]


def _colours(table: ClassTable | None, values: set[int], source: str) -> MaskCoding:
    rows = [row for row in table.rows if row.colour is not None] if table else []
    if not rows:
        shown = ", ".join(spelled_colour(value) for value in sorted(values)[:3])
        more = f"more than {_MANY}" if len(values) > _MANY else str(len(values))
        raise SourceError(
            f"{printable(source)}: the masks are coloured ({more} colours, such as {shown}) and "
            f"{'the table has no colours' if table else 'no classes.csv says what they mean'}: "
            f"write one beside the folders with the columns name,r,g,b; where the folders are classes, say --task "
            f"classification"
        )
    assert table is not None  # noqa: S101 - it has rows
    kept = [row for row in rows if not row.void]
    number = {row.name: index for index, row in enumerate(kept)}
    meaning = {_key(row.colour): number.get(row.name, VOID) for row in rows if row.colour is not None}
    return MaskCoding(
        classes=tuple(number),
        palette=tuple(row.colour for row in kept if row.colour is not None),
        coloured=True,
        meaning=MappingProxyType(meaning),
        about=f"masks hold colours; {len(kept)} classes from {printable(table.place)}{_voids(table)}",
    )


def _numbers(table: ClassTable | None, seen: _Seen, source: str) -> MaskCoding:
    values = seen.values
    if table is not None:
        kept = table.classes
        if len(kept) > MOST_CLASSES:
            raise SourceError(f"{printable(source)}: {len(kept):,} classes; at most {MOST_CLASSES} are supported")
        meaning = {row.value: VOID for row in table.rows if row.void}
        meaning |= {row.value: index for index, row in enumerate(kept)}
        binary = _may_be_binary(table, seen) and len(kept) == len(_BINARY)
        if binary:
            meaning = {0: 0, VOID: 1}
        meaning.setdefault(VOID, VOID)
        also = f"; 255 stands for {printable(kept[1].name)}, since the masks hold 0 and 255 alone" if binary else ""
        spare = iter(voc_palette(len(kept) + 1)[1:])
        return MaskCoding(
            classes=tuple(row.name for row in kept),
            palette=tuple(row.colour or next(spare) for row in kept),
            coloured=False,
            meaning=MappingProxyType(meaning),
            about=f"masks hold numbers; {len(kept)} classes from {printable(table.place)}{_voids(table)}{also}",
        )
    names: tuple[str, ...]
    if seen.lossy and not seen.binary:
        raise SourceError(
            f"{printable(source)}: the masks are JPEGs, which change numbers, and no classes.csv says which ones are "
            f"meant: save them as PNG, or write the table"
        )
    smeared = not seen.lossy and seen.smeared
    if seen.binary or smeared:
        names, meaning, said = ("background", "foreground"), {0: 0, 255: 1}, "0 is background, 255 foreground"
        said += ", and greys between them what they are nearer to" if smeared else ""
    elif values == _WIDE:
        names, meaning, said = ("background", "foreground"), {0: 0, 65535: 1}, "0 is background, 65535 foreground"
    elif seen.spread:
        found = sorted(values)
        names = tuple(f"class {value}" for value in found)
        meaning = {value: index for index, value in enumerate(found)}
        said = "no classes.csv names them; 255 is a class, since the numbers lie as far apart as greys"
    else:
        found = sorted(values - {VOID})
        if len(found) > MOST_CLASSES:
            raise SourceError(
                f"{printable(source)}: the masks hold more than {MOST_CLASSES} different numbers and no classes.csv "
                f"says what they mean; are they masks (and not saved as JPEG)? Where the folders are classes, say "
                f"--task classification"
            )
        names = tuple(f"class {value}" for value in found)
        meaning = {value: index for index, value in enumerate(found)} | {VOID: VOID}
        said = f"no classes.csv names them; 255 counts as void{seen.doubt}"
    if len(names) < 2:  # noqa: PLR2004 - something must be told apart
        void = " beside 255, which counts as void" if VOID in values and len(values) > 1 else ""
        raise SourceError(
            f"{printable(source)}: all masks hold one value ({min(values)}){void}; two classes are needed"
        )
    return MaskCoding(
        classes=names,
        palette=_own_palette(seen.palette, meaning, len(names)),
        coloured=False,
        meaning=MappingProxyType(meaning),
        about=f"masks hold numbers; {len(names)} of them: {said}",
        smeared=smeared,
    )


def _own_palette(palette: Sequence[Colour], meaning: Mapping[int, int], classes: int) -> tuple[Colour, ...]:
    """The colours that the first mask's own palette gives its numbers, where they can be told apart."""
    value = {index: number for number, index in meaning.items() if index != VOID}
    own = tuple(palette[value[index]] for index in range(classes) if value[index] < len(palette))
    return own if len(set(own)) == classes else voc_palette(classes)


def _voids(table: ClassTable) -> str:
    names = [printable(row.name) for row in table.rows if row.void]
    return f"; {', '.join(names[:3])} counts as void" if names and len(names) <= 3 else ""  # noqa: PLR2004 - a few


def _key(colour: Colour | None) -> int:
    red, green, blue = colour or (0, 0, 0)
    return red << 16 | green << 8 | blue
