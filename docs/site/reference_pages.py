"""The reference of names, read from the sources by griffe without importing them.

In full: the verbs, and from their signatures on everything one meets with them, however far that leads; errors; the
layers and the two ways of writing networks; the callbacks. Every other name that a file exports has its line in the
table of its room.
"""

import contextlib
import re
from collections.abc import Iterator

import griffe

__all__ = ["reference_pages"]

WRITING = ("networks.functional", "networks.sequential", "networks.writing", "networks.layers")
CALLBACKS = ("integrations.lightning", "integrations.transformers", "integrations.keras", "integrations.watching")

MADE = "Made when it is first asked for: its library must be loaded by then. Its options are those of `Watching`."


def reference_pages(package: griffe.Module) -> dict[str, str]:
    """Write the reference.

    Args:
        package: The package as griffe read it.

    Returns:
        Markdown by the page's name in the site.
    """
    verbs = {name: _real(package[name]) for name in package.exports or () if not str(name).startswith("__")}
    values = list(_met_with(package, [each for each in verbs.values() if each.is_function]))
    errors = [package[f"core.errors.{name}"] for name in package["core.errors"].exports]
    values = [each for each in values if each not in errors]
    writing = {room: _exported(package[room]) for room in WRITING}
    callbacks = {room: _exported(package[room]) for room in CALLBACKS}
    named = [each for names in (*writing.values(), *callbacks.values()) for each in names]
    full = {each.path for each in (*verbs.values(), *values, *errors, *named)}
    pages = {
        "reference/verbs.md": _verbs(verbs),
        "reference/values.md": _values(values),
        "reference/errors.md": _errors(package, errors),
        "reference/networks.md": _modules(
            package, writing, "Writing networks", "The guide [shows both ways](../networks.md)."
        ),
        "reference/callbacks.md": _modules(
            package, callbacks, "Callbacks", "The guide [shows each](../integrations.md)."
        ),
    }
    rooms = [each for each in package.members.values() if not each.is_alias and each.is_module and each.members]
    for room in sorted(rooms, key=lambda each: each.name):
        if room.name != "__main__":
            pages[f"reference/rooms/{room.name}.md"] = _room(room, full)
    return pages


def _real(found: griffe.Object | griffe.Alias) -> griffe.Object:
    return found.final_target if found.is_alias else found


def _unread(module: griffe.Module) -> list[tuple[str, bool]]:
    """Names that griffe does not see, and whether the file makes them when they are asked for."""
    late = "__getattr__" in module.members
    return [(str(name), late) for name in module.exports or () if str(name) not in module.members]


def _exported(module: griffe.Module) -> list[griffe.Object]:
    """What a file exports and griffe can read: not what is made when it is asked for, or bound with others at once."""
    found = []
    for name in module.exports or ():
        with contextlib.suppress(KeyError, griffe.AliasResolutionError):
            found.append(_real(module.members[str(name)]))
    return found


def _met_with(package: griffe.Module, begin: list[griffe.Object]) -> Iterator[griffe.Object]:
    """Values of the package that annotations of some functions name, and those that these name in turn."""
    seen, waiting = {each.path for each in begin}, list(begin)
    while waiting:
        for path in _named(waiting.pop(0)):
            name = path.removeprefix("thalweg.")
            if name == path or path in seen:
                continue
            seen.add(path)
            try:
                value = _real(package[name])
            except (KeyError, griffe.AliasResolutionError):  # a name that the type checker makes
                continue
            kept = value.is_class or value.is_attribute or value.is_type_alias
            if kept and (value.path == path or value.path not in seen):
                seen.add(value.path)
                yield value
                waiting.append(value)


def _named(value: griffe.Object) -> Iterator[str]:
    annotations: list[object] = []
    functions = [value] if value.is_function else []
    if value.is_class:
        public = [each for each in value.members.values() if not each.name.startswith("_") and not each.is_alias]
        annotations += [each.annotation for each in public if each.is_attribute]
        functions += [each for each in public if each.is_function]
        annotations += value.bases
    for each in functions:
        annotations += [*(parameter.annotation for parameter in each.parameters), each.returns]
    for annotation in annotations:
        if isinstance(annotation, griffe.Expr):
            yield from (each.canonical_path for each in annotation.iterate() if isinstance(each, griffe.ExprName))


def _verbs(verbs: dict[str, griffe.Object]) -> str:
    lines = ["# Verbs", "", "Each is a function of `import thalweg`, loaded when it is first asked for.", ""]
    lines += ["| name | what it does |", "| --- | --- |"]
    lines += [f"| [`thalweg.{name}`][{each.path}] | {_first(each)} |" for name, each in verbs.items()]
    lines += ["", "`thalweg.__version__` is the version as text.", ""]
    for name, each in verbs.items():
        if each.is_function:
            lines += [*_in_full(each, f"thalweg.{name}", 2), ""]
    return "\n".join(lines)


def _values(values: list[griffe.Object]) -> str:
    lines = [
        "# Values",
        "",
        "What the verbs take and answer, and everything found in it. Units stand in the names of fields.",
        "",
    ]
    for each in sorted(values, key=lambda value: value.name.lower()):
        lines += [*_in_full(each, each.name, 2), ""]
    return "\n".join(lines)


def _errors(package: griffe.Module, errors: list[griffe.Object]) -> str:
    text = package["core.errors"].docstring.value
    drawing = "\n".join(line for line in text.splitlines() if line.startswith("    "))
    lines = ["# Errors", "", "All are raised on purpose, with the place, the number and the way out.", "", drawing, ""]
    for each in errors:
        lines += [*_in_full(each, each.name, 2), ""]
    return "\n".join(lines)


def _modules(package: griffe.Module, modules: dict[str, list[griffe.Object]], title: str, lead: str) -> str:
    lines = [f"# {title}", "", lead, ""]
    for room, names in modules.items():
        lines += [f"## thalweg.{room}", "", package[room].docstring.value, ""]
        for each in names:
            lines += [*_in_full(each, each.name, 3), ""]
        for name, _ in _unread(package[room]):
            lines += [f"### {name} of {room.rpartition('.')[2]}", "", MADE, ""]
    return "\n".join(lines)


def _in_full(value: griffe.Object, heading: str, level: int) -> list[str]:
    """Ask mkdocstrings for all that a name says of itself."""
    options = {"heading": heading, "toc_label": heading, "heading_level": level}
    return [f"::: {value.path}", "    options:", *(f"      {name}: {value}" for name, value in options.items())]


def _room(room: griffe.Module, full: set[str]) -> str:
    lines = [f"# thalweg.{room.name}", "", room.docstring.value if room.docstring else "", ""]
    for module in _modules_in(room):
        names = [each for each in _exported(module) if each.path.rpartition(".")[0] == module.path]
        if not names and not _unread(module):
            continue
        lines += [f"## {module.path}", "", _first(module), "", "| name | what it is |", "| --- | --- |"]
        for each in names:
            name = f"`{each.name}`"
            lines.append(f"| {f'[{name}][{each.path}]' if each.path in full else name} | {_first(each)} |")
        lines += [f"| `{name}` | {MADE.partition(':')[0] + '.' if late else ''} |" for name, late in _unread(module)]
        lines.append("")
    return "\n".join(lines)


def _modules_in(room: griffe.Module) -> Iterator[griffe.Module]:
    yield room
    for _, each in sorted(room.members.items()):
        if not each.is_alias and each.is_module:
            yield from _modules_in(each)


def _first(value: griffe.Object) -> str:
    """The first sentence or line of what a thing says of itself, fit for a cell."""
    text = value.docstring.value.strip() if value.docstring else ""
    first = re.split(r"\n\s*\n", text)[0].replace("\n", " ")
    return re.sub(r"([|*\[\]])", r"\\\1", re.sub(r"\s+", " ", first)).replace("<", "&lt;")
