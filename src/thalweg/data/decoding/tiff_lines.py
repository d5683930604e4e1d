"""libtiff's own lines, kept off the terminal: it writes them past Python, without saying which picture they are about.

What a damaged TIFF is refused for comes from Pillow all the same. Where Pillow's libtiff cannot be found (linked into
Pillow itself, or a system without it) nothing is changed.
"""

import contextlib
import ctypes
import functools
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["silent_tiff"]

_SETTERS = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")
_PLACES = ("../pillow.libs/libtiff-*.so*", "../Pillow.libs/libtiff-*.so*", ".dylibs/libtiff*.dylib")


@contextlib.contextmanager
def silent_tiff() -> Iterator[None]:
    """Let libtiff write nothing meanwhile, in the whole process; whoever listened before does so again afterwards.

    Example:
        >>> with silent_tiff():
        ...     pass
    """
    library = _library()
    if library is None:
        yield
        return
    before = [(setter, getattr(library, setter)(None)) for setter in _SETTERS]
    try:
        yield
    finally:
        for setter, handler in before:
            getattr(library, setter)(handler)


@functools.cache
def _library() -> ctypes.CDLL | None:
    """The libtiff that Pillow has loaded; none is loaded for this."""
    import PIL.Image  # which loads it

    home = Path(PIL.Image.__file__).parent
    for path in (found for place in _PLACES for found in sorted(home.glob(place))):
        with contextlib.suppress(OSError, AttributeError):
            library = ctypes.CDLL(str(path), mode=os.RTLD_NOLOAD)
            for setter in _SETTERS:
                function = getattr(library, setter)
                function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
            return library
    return None
