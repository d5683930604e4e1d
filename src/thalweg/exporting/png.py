"""Figures as PNG: the report's own SVG, rasterised by resvg (extra `plots`).

One way for curves, drawings, matrices and pictures, so that a PNG shows what the page shows, in its language: resvg
shapes text with HarfBuzz's rules and sets it from right to left where a script is. It knows no CSS variables and no
media queries, by which a figure follows a light or dark screen; here every figure is that of a light screen.
"""

import functools
import html
import importlib
import math
import re
import struct
import unicodedata
import zlib
from typing import Any

from thalweg.core.errors import MissingExtraError, PlanError

__all__ = ["PNG_MARK", "svg_png", "undrawn_letters"]

PNG_MARK = b"Software\x00thalweg"
"""What every PNG of this package says near its beginning: who drew it (a `tEXt` chunk of the PNG specification)."""

_LARGEST = 32e6
"""Pixels of a picture; a larger drawing is made less fine."""
_HEADER = 33  # bytes: the signature, and the chunk with the size
_VARIABLES = re.compile(r"--([\w-]+):([^;{}]+)")
_USED = re.compile(r"var\(--([\w-]+)\)")
_DARK = re.compile(r"@media[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_FONTS = re.compile(r"font-family:system-ui[^;{}]*")
_SIZE = re.compile(r'<svg [^>]*?\bwidth="([\d.]+)"[^>]*?\bheight="([\d.]+)"')
_LETTERS = re.compile(r"<(?:text|tspan)\b[^<>]*>([^<]+)")
_LATIN = 'system-ui,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue","Liberation Sans",Arial,"DejaVu Sans",sans-serif'
_MANY = 'Vazirmatn,Vazir,"Segoe UI",Tahoma,"Geeza Pro","DejaVu Sans","Noto Sans Arabic","Noto Naskh Arabic",sans-serif'
"""Fonts with Arabic letters and subscripts: the first that is there is taken, any other only for letters it lacks."""
_UNUSUAL = re.compile(r"[\u0600-\u08ff\u2070-\u209f\ufb50-\ufdff\ufe70-\ufefc]")
_ASKED = 200
"""Different letters of a figure that are looked for in the fonts."""
_NOWHERE = "\U0010fffd"
"""A letter that no font has."""


def svg_png(svg: str, *, scale: float = 2.0) -> bytes:
    """Draw a figure as PNG, as it looks on a light screen.

    Args:
        svg: A complete `<svg>` of this package, with its size in pixels.
        scale: Pixels for each of its own; fewer where the picture would have more than 32 million.

    Returns:
        The file.

    Raises:
        MissingExtraError: resvg is not installed.
        PlanError: This machine has no font, or the drawing is none.
    """
    size = _SIZE.search(svg)
    pixels = float(size[1]) * float(size[2]) if size else 1.0
    text = _plain(svg)
    if _LETTERS.search(text) and not _has_fonts():
        raise PlanError(
            "this machine has no font to write PNG figures with: install one (such as the package "
            "fonts-dejavu-core), or leave --png away; SVG needs none"
        )
    return _drawn(text, min(scale, math.sqrt(_LARGEST / max(pixels, 1.0))))


def undrawn_letters(svg: str) -> str:
    """Find the letters of a figure that no font of this machine has; a PNG shows boxes for them.

    Args:
        svg: The figure.

    Returns:
        The letters, each once.

    Raises:
        MissingExtraError: resvg is not installed.
    """
    told = dict.fromkeys(letter for text in _LETTERS.findall(svg) for letter in html.unescape(text))
    asked = [letter for letter in told if not letter.isascii() and unicodedata.category(letter)[0] in "LNS"]
    return "".join(letter for letter in asked[:_ASKED] if not _has_letter(letter))


def _plain(svg: str) -> str:
    """The figure without what resvg does not know: variables have their light values, media queries are gone."""
    light = _DARK.sub("", svg)
    values = {
        name: value.strip()
        for style in re.findall(r"svg\.tw\{[^}]*", light)
        for name, value in _VARIABLES.findall(style)
    }
    fonts = _MANY if _UNUSUAL.search(light) else _LATIN
    return _FONTS.sub(f"font-family:{fonts}", _USED.sub(lambda found: values.get(found[1], "#000"), light))


def _drawn(svg: str, scale: float) -> bytes:
    try:
        resvg: Any = importlib.import_module("resvg_py")
    except ImportError as error:
        raise MissingExtraError(error.name or "resvg_py", "plots", "to write PNG figures") from None
    try:
        return _signed(bytes(resvg.svg_to_bytes(svg_string=svg, zoom=scale, background="white")))
    except ValueError as error:
        raise PlanError(f"a figure cannot be drawn as PNG: {error}; --figures writes it as SVG") from None


def _signed(png: bytes) -> bytes:
    """The picture with who drew it, behind the header, whose length is always the same."""
    kind = b"tEXt" + PNG_MARK
    chunk = struct.pack(">I", len(PNG_MARK)) + kind + struct.pack(">I", zlib.crc32(kind))
    return png[:_HEADER] + chunk + png[_HEADER:]


@functools.cache
def _has_fonts() -> bool:
    return _sample("a") != _sample("")


@functools.cache
def _has_letter(letter: str) -> bool:
    return _sample(letter) != _sample(_NOWHERE)


@functools.cache
def _sample(text: str) -> bytes:
    """One letter, drawn small."""
    fonts = _MANY if _UNUSUAL.search(text) else _LATIN
    style = f"<style>text{{font-family:{fonts};font-size:16px}}</style>"
    body = f'<text x="8" y="20">{html.escape(text)}</text>'
    return _drawn(f'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32">{style}{body}</svg>', 1.0)
