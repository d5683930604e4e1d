"""How this project writes docstrings, told to griffe: `Example:` is a section of doctests, not a remark."""

import re

import griffe


class Examples(griffe.Extension):
    """Gives a docstring's example the name under which griffe knows it."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Look at every function and class as it is read."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
