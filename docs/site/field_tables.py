"""The fields of every JSON answer, from the schemas that tests hold the answers to."""

import json
import pathlib
from collections.abc import Iterator, Mapping

__all__ = ["with_fields"]

MARK = "<!-- the fields of every answer stand here in the site -->"
DEEPEST = 2
"""Lists in lists that are told; some hold themselves."""


def with_fields(markdown: str, repository: pathlib.Path) -> str:
    """Put the tables of fields where a page asks for them.

    Args:
        markdown: The page.
        repository: Where `src` lies.

    Returns:
        The page with its tables.

    Raises:
        ValueError: The page has no such place.
    """
    if MARK not in markdown:
        raise ValueError(f"docs/interface.md has no line {MARK}")
    lines: list[str] = []
    for path in sorted((repository / "src" / "thalweg" / "core" / "schemas").glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        lines += [f"### {schema.get('title', path.stem)}", "", "| field | type | always there |", "| --- | --- | --- |"]
        rows = _fields(schema, schema)
        lines += [f"| `{name}` | {kind} | {'yes' if always else ''} |" for name, kind, always in rows]
        lines.append("")
    return markdown.replace(MARK, "\n".join(lines))


def _fields(
    schema: Mapping[str, object], root: Mapping[str, object], above: str = ""
) -> Iterator[tuple[str, str, bool]]:
    """Name, type and certainty of each field, two levels deep."""
    schema = _resolved(schema, root)
    parts = (schema, *(each for kind in ("allOf", "oneOf", "anyOf") for each in schema.get(kind, ())))
    for part in (_resolved(each, root) for each in parts):
        required = part.get("required", ())
        for name, written in part.get("properties", {}).items():
            field = _resolved(written, root)
            yield above + name, _kind(field, root), name in required
            items = _resolved(field.get("items", {}), root)
            if above.count(".") < 1:
                yield from _fields(field, root, f"{above}{name}.")
                if items.get("properties"):
                    yield from _fields(items, root, f"{above}{name}[].")


def _resolved(field: object, root: Mapping[str, object]) -> Mapping[str, object]:
    if not isinstance(field, dict):
        return {}
    reference = field.get("$ref", "")
    if not reference.startswith("#/"):
        return field
    found: object = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return _resolved(found, root)


def _kind(field: Mapping[str, object], root: Mapping[str, object], inside: int = 0) -> str:
    if inside > DEEPEST:
        return "..."
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value) if value is None else value}`" for value in field["enum"])
    for several in ("oneOf", "anyOf"):
        if several in field:
            return " or ".join(dict.fromkeys(_kind(_resolved(each, root), root, inside) for each in field[several]))
    kinds = field.get("type", "anything")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    words = [_list_of(field, root, inside + 1) if kind == "array" else str(kind) for kind in kinds]
    return " or ".join(words)


def _list_of(field: Mapping[str, object], root: Mapping[str, object], inside: int) -> str:
    items = _resolved(field.get("items", {}), root)
    return f"list of {_kind(items, root, inside)}" if items else "list"
