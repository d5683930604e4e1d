"""Values of a plan as TOML, with names of files that are not UTF-8."""

__all__ = ["restored", "toml_value"]


def toml_value(value: object) -> str:
    r"""Write a value.

    Args:
        value: Text, a number, a truth value, or a list of them.

    Returns:
        Its TOML, on one line.

    Example:
        >>> toml_value(["a\n", 1, True])
        '["a\\U0000000a", 1, true]'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _toml_string(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return repr(value)


_PRIVATE = 0xF0000
"""TOML cannot hold bytes that are not UTF-8 (U+DC80 to U+DCFF in Python); they go into a private plane of Unicode."""


def restored(value: object) -> object:
    """Undo what writing did to bytes of a name that are not UTF-8.

    Args:
        value: As TOML was read.

    Returns:
        As it was written.
    """
    if not isinstance(value, str):
        return value
    low, high = 0xD800 + _PRIVATE, 0xDFFF + _PRIVATE
    return "".join(chr(ord(each) - _PRIVATE) if low <= ord(each) <= high else each for each in value)


def _toml_string(text: str) -> str:
    escaped = []
    for character in text:
        if character in {'"', "\\"}:
            escaped.append("\\" + character)
        elif character.isprintable():
            escaped.append(character)
        elif 0xD800 <= ord(character) <= 0xDFFF:  # noqa: PLR2004 - a byte that is not UTF-8
            escaped.append(f"\\U{ord(character) + _PRIVATE:08x}")
        else:
            escaped.append(f"\\U{ord(character):08x}")
    return '"' + "".join(escaped) + '"'
