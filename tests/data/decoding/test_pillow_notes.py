"""Pillow's warnings reach the one who decodes, and the process' filters are left as they were."""

import sys
import types
import warnings

import pytest

from thalweg.data.decoding.pillow_notes import listening


def warn_as_pillow(text="odd file"):
    module = types.ModuleType("PIL.Odd")
    module.__dict__["__name__"] = "PIL.Odd"
    exec("import warnings\ndef complain(text): warnings.warn(text)", module.__dict__)  # noqa: S102 - a stand-in for Pillow
    module.complain(text)


def test_warnings_are_collected_even_where_they_are_errors():
    filters, show = list(warnings.filters), warnings.showwarning
    with listening() as outer, listening() as inner:
        warn_as_pillow("line\nbreak")
    assert inner == ["line break"]
    assert outer == []
    assert (list(warnings.filters), warnings.showwarning) == (filters, show)
    assert "PIL.Odd" not in sys.modules


def test_warnings_of_others_go_their_own_way():
    with listening() as notes, pytest.raises(UserWarning, match="mine"):
        warnings.warn("mine", stacklevel=1)
    assert notes == []
