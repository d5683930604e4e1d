"""Finds the messages of a module: every f-string and sentence that a reader may see, as a catalogue writes them.

Of a whole room it finds the errors: what is given to an error's class, and whatever that is put together from: the
variables and constants that stand in it, and the functions that are asked for it. It follows names, not values: a
sentence that travels through a list or a field of an object escapes it.
"""

import ast
import builtins
import functools
import pathlib
import re
from collections.abc import Iterator

import pytest

SOURCES = pathlib.Path(__file__).parents[2] / "src" / "thalweg"
_SEEN = {"text", "caption", "header", "title", "label", "x_label", "y_label", "note", "value", "badge", "answer"}
_WORDS = re.compile(r"[A-Za-z]{2,}")
_TAG = re.compile(r"(?<!\?P)(?:</?[a-z][a-z0-9]*[ />]|</[a-z]+>|<[a-z0-9]+>)|[\"'/]>")


def messages(module: str) -> list[str]:
    """Every message of a module, in order, such as `Right on {accuracy:number} of {files:number} files.`"""
    tree = ast.parse((SOURCES / module).read_text("utf-8"))
    _strip_documentation(tree)
    return list(dict.fromkeys(_found(tree, seen=False)))


def _found(node: ast.AST, *, seen: bool) -> Iterator[str]:  # noqa: C901, PLR0911, PLR0912 - a kind of node each
    if isinstance(node, ast.JoinedStr):
        text = template(node)
        if "<" in text and _TAG.search(text):
            yield from _in_markup(text)
        elif _is_message(text, seen=seen):
            yield text
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _found(part.value, seen=True)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if _TAG.search(node.value):
            yield from _in_markup(escape(node.value))
            return
        lines = node.value.splitlines() if "\n" in node.value.strip() else [node.value]
        yield from (escape(line) for line in lines if _is_message(line, seen=seen))
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


def _in_markup(text: str) -> Iterator[str]:
    """The words of a piece of HTML or SVG: between its tags, and those that are read out or shown on hover."""
    pieces = [*re.split(r"<[^<>]*>?|[^<>]*/?>", text), *re.findall(r'(?:aria-label|data-says|title)="([^"]*)"', text)]
    for piece in pieces:
        if _is_message(piece.strip(), seen=True):
            yield piece.strip()


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


_NO_MESSAGE = {"printable", "shown", "repr", "str", "len", "join", "get", "type", "sorted", "shown_link"}
"""Functions that hand on what they are given."""
_NOT_SAID = re.compile(r"^[\w-]+$|^(select|SELECT) |\\|\n$")
"""Names, questions to a database, patterns, lines of files."""
_FURTHEST = 3
"""So many names, one leading to the next, are followed."""
_NOWHERE = ast.Pass()
"""The scope of a constant: none of its names is local."""
_PYTHON_S = {name for name in dir(builtins) if name.endswith("Error")} - {"ValueError"}
"""Python's own errors are for programmers; a ValueError is often caught and told."""


def raised(room: str) -> list[str]:
    """Every message of the errors of a room (a folder of the package), in order."""
    found: dict[str, None] = {}
    for path in sorted((SOURCES / room).rglob("*.py")) if (SOURCES / room).is_dir() else [SOURCES / room]:
        module = str(path.relative_to(SOURCES))
        for function in _scopes(_parsed(module)):
            for node in _parts(function):
                called = node.exc if isinstance(node, ast.Raise) else node
                raises = called is not node and getattr(getattr(called, "func", None), "id", "") not in _PYTHON_S
                if isinstance(called, ast.Call) and (raises or _is_error(called.func)):
                    for argument in (*called.args, *(keyword.value for keyword in called.keywords)):
                        found.update(dict.fromkeys(_told(argument, module, function, 0)))
    return [message for message in found if not _NOT_SAID.search(message)]


def _is_error(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute):  # an error's class hands its sentence to the class above it
        return called.attr == "__init__" and isinstance(called.value, ast.Call)
    return isinstance(called, ast.Name) and called.id.endswith("Error") and called.id not in _PYTHON_S


@functools.cache
def _told(node: ast.AST, module: str, scope: ast.AST, depth: int) -> tuple[str, ...]:
    """What an expression says, and what the names in it say."""
    return tuple(dict.fromkeys(_followed(node, module, scope, depth)))


def _followed(node: ast.AST, module: str, scope: ast.AST, depth: int) -> Iterator[str]:
    yield from _found(node, seen=depth == 0)
    if depth == _FURTHEST:
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and (name := _named(part.func)) not in _NO_MESSAGE:
            for home, function in _functions(module, name):
                for answer in _parts(function):
                    if isinstance(answer, ast.Return | ast.Yield) and answer.value is not None:
                        yield from _told(answer.value, home, function, depth + 1)
        elif isinstance(part, ast.Name):
            for home, where in ((module, scope), *_constants(module, part.id)):
                for value in _assigned(where).get(part.id, ()):
                    yield from _told(value, home, where if where is scope else _NOWHERE, depth + 1)


@functools.cache
def _parsed(module: str) -> ast.Module:
    tree = ast.parse((SOURCES / module).read_text("utf-8"))
    _strip_documentation(tree)
    return tree


def _scopes(tree: ast.Module) -> Iterator[ast.AST]:
    """The functions and methods of a module, and what is left of it."""
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from inner


@functools.cache
def _parts(scope: ast.AST) -> tuple[ast.AST, ...]:
    """All nodes of a scope; kept, since many names are looked for in the same one."""
    return tuple(ast.walk(scope))


@functools.cache
def _assigned(scope: ast.AST) -> dict[str, list[ast.expr]]:
    """The values that each name of a scope is given."""
    found: dict[str, list[ast.expr]] = {}
    for node in _parts(scope):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            for target in targets:
                for name in {getattr(each, "id", "") for each in getattr(target, "elts", [target])}:
                    found.setdefault(name, []).append(node.value)
    return found


@functools.cache
def _functions(module: str, name: str) -> tuple[tuple[str, ast.FunctionDef], ...]:
    """The functions of that name that give text, of the module itself or the one it comes from."""
    defined, imported = _names(module)
    home = imported.get(name, module)
    return tuple((module, node) for node in defined.get(name, ())) + (_functions(home, name) if home != module else ())


@functools.cache
def _names(module: str) -> tuple[dict[str, list[ast.FunctionDef]], dict[str, str]]:
    """The functions of a module that give text, and the modules from which its other names come."""
    defined: dict[str, list[ast.FunctionDef]] = {}
    imported: dict[str, str] = {}
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.FunctionDef) and node.returns is not None and "str" in ast.unparse(node.returns):
            defined.setdefault(node.name.strip("_"), []).append(node)
        elif isinstance(node, ast.ImportFrom):
            home = (node.module or "").replace("thalweg.", "", 1).replace(".", "/") + ".py"
            if (SOURCES / home).is_file():
                imported |= {alias.name: home for alias in node.names}
    return defined, imported


def _constants(module: str, name: str) -> Iterator[tuple[str, ast.AST]]:
    """Where a name of capitals gets its value."""
    if not name.isupper():
        return
    yield module, _top(module)
    if (home := _names(module)[1].get(name, module)) != module:
        yield from _constants(home, name)


@functools.cache
def _top(module: str) -> ast.Module:
    """The values that a module gives to names outside its functions."""
    return ast.Module([node for node in _parsed(module).body if isinstance(node, ast.Assign | ast.AnnAssign)], [])


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


@pytest.fixture
def raised_in():
    return raised


def noted(room: str) -> list[str]:
    """Every note of a room: what is added to, assigned to or given as `notes`, and what that is put together from."""
    found: dict[str, None] = {}
    for path in sorted((SOURCES / room).rglob("*.py")):
        module = str(path.relative_to(SOURCES))
        for scope in _scopes(_parsed(module)):
            for node in _parts(scope):
                for value in _noted_by(node):
                    found.update(dict.fromkeys(_told(value, module, scope, 0)))
    return [message for message in found if not _NOT_SAID.search(message)]


def _noted_by(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions that a piece of code makes notes of."""
    match node:
        case ast.Call(func=ast.Attribute(attr="append" | "extend", value=value), args=[argument]):
            yield from [argument] if _named(value) == "notes" else []
        case ast.Assign(targets=[target], value=value) | ast.AugAssign(target=target, value=value):
            yield from [value] if _named(target) == "notes" else []
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from [value] if _named(target) == "notes" else []
        case ast.Call(keywords=keywords):
            yield from (each.value for each in keywords if each.arg == "notes")
        case _:
            pass


@pytest.fixture
def noted_in():
    return noted
