"""Finds the messages of a module: every f-string and sentence that a reader may see, as a catalogue writes them."""

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

SOURCES = pathlib.Path(__file__).parents[2] / "src" / "thalweg"
_SEEN = {"text", "caption", "header", "title", "label", "x_label", "y_label", "note", "value", "badge", "answer"}
_WORDS = re.compile(r"[A-Za-z]{2,}")


def messages(module: str) -> list[str]:
    """Every message of a module, in order, such as `Right on {accuracy:number} of {files:number} files.`"""
    tree = ast.parse((SOURCES / module).read_text("utf-8"))
    _strip_documentation(tree)
    return list(dict.fromkeys(_found(tree, seen=False)))


def _found(node: ast.AST, *, seen: bool) -> Iterator[str]:  # noqa: C901, PLR0911, PLR0912 - a kind of node each
    if isinstance(node, ast.JoinedStr):
        text = template(node)
        if _is_message(text, seen=seen):
            yield text
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _found(part.value, seen=True)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if _is_message(node.value, seen=seen):
            yield escape(node.value)
        return
    if isinstance(node, ast.Compare | ast.Subscript | ast.arguments):
        for child in ast.iter_child_nodes(node):
            if isinstance(node, ast.Compare) and isinstance(child, ast.Constant):
                continue
            if isinstance(node, ast.arguments) or (isinstance(node, ast.Subscript) and child is node.slice):
                continue
            yield from _found(child, seen=False)
        return
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        yield from _found(node.value, seen=False)
        return
    if isinstance(node, ast.FunctionDef):
        for child in node.body:
            yield from _found(child, seen=False)
        return
    if isinstance(node, ast.Assign) and any(isinstance(at, ast.Name) and at.id == "__all__" for at in node.targets):
        return
    if isinstance(node, ast.keyword):
        yield from _found(node.value, seen=node.arg in _SEEN)
        return
    keeps = isinstance(node, ast.Tuple | ast.List | ast.IfExp | ast.BinOp | ast.BoolOp)
    for child in ast.iter_child_nodes(node):
        yield from _found(child, seen=seen and keeps)


def _is_message(text: str, *, seen: bool) -> bool:
    literal = re.sub(r"\{[^}]*\}", "", text)
    return bool(_WORDS.search(literal)) and (seen or bool(re.search(r"[A-Za-z}%)] +[A-Za-z({]", text)))


def escape(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def template(node: ast.JoinedStr) -> str:
    """Write an f-string as a catalogue does: fields by name, with their kind."""
    parts, used = [], {}
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(escape(str(part.value)))
        elif isinstance(part, ast.FormattedValue):
            name = _named(part.value)
            used[name] = used.get(name, 0) + 1
            number = "" if used[name] == 1 else str(used[name])
            parts.append(f"{{{name}{number}{_kind(part)}}}")
    return "".join(parts)


def _kind(part: ast.FormattedValue) -> str:
    if part.format_spec is not None:
        spec = "".join(str(item.value) for item in part.format_spec.values if isinstance(item, ast.Constant))
        if re.search(r"[\dfgedn%,+]$", spec) and not re.search(r"[<>^]", spec):
            return ":number"
    called = part.value
    if isinstance(called, ast.Call) and _named(called.func) in {"printable", "shown", "_quoted", "repr"}:
        return ":text"
    if isinstance(called, ast.Call) and _named(called.func) in {"len", "round", "_number", "sum"}:
        return ":number"
    return ":text" if part.conversion == ord("r") else ""


def _named(node: ast.AST) -> str:  # noqa: PLR0911 - a kind of node each
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_")
        case ast.Call(func=func, args=arguments):
            called = _named(func)
            inner = called in {"printable", "shown", "str", "len", "round", "sum", "abs", "repr", "_sentence", "int"}
            return _named(arguments[0]) if inner and arguments else called
        case ast.Subscript(value=value, slice=ast.Constant(value=str() as key)):
            return re.sub(r"\W", "_", key) or _named(value)
        case ast.Subscript(value=value):
            return _named(value)
        case ast.IfExp():
            return "_if"
        case ast.BinOp(left=left, right=right):
            found = _named(left)
            return found if found != "value" else _named(right)
        case _:
            return "value"


def _strip_documentation(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [
                item
                for item in body
                if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
            ] or [ast.Pass()]  # fmt: skip


@pytest.fixture
def messages_of():
    return messages
