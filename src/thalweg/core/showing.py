"""How values show themselves in a notebook, although they know nothing of pages: somebody above them lends the words.

A notebook asks the object itself (`_repr_mimebundle_`, `_repr_html_`), and the object lies at the bottom of the house,
where nothing may be imported from rooms above. So this file keeps one empty seat; the package's root, which alone knows
where everything is, puts a function there that loads what it needs when the first value is shown.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

__all__ = ["Bundle", "Showable"]

Bundle: TypeAlias = Mapping[str, str]
"""Media types, such as `text/html`, and what to show in them; empty where a value has only its text."""


class Showable:
    """A value that a notebook shows as more than its `repr`."""

    __slots__ = ()

    painter: ClassVar[Callable[[object], Bundle] | None] = None
    """Who knows how; None where the package's root has not said."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:  # noqa: ARG002 - IPython's
        """What IPython and Jupyter look for."""
        return Showable.painter(self) if Showable.painter is not None else {}

    def _repr_html_(self) -> str | None:
        """What other notebooks look for."""
        return self._repr_mimebundle_().get("text/html")
