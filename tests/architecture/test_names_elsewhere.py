"""What names a module from outside the package names one there is: scripts that no test starts, and prose.

Imports stand inside functions in many scripts, and text names modules in backticks; a file that moves breaks both
without a word. Here nothing is run: files are parsed, names are looked up in the sources.
"""

import ast
import functools
import pathlib
import re

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src"
ROOMS = sorted(path.parent.name for path in (SOURCE / "thalweg").glob("*/__init__.py"))
SCRIPTS = [*(REPOSITORY / "benchmarks").rglob("*.py"), *(REPOSITORY / "docs").rglob("*.py")]
PROSE = [
    *(
        path for path in (REPOSITORY / "docs").rglob("*.md") if path.parent.name != "decisions"
    ),  # those tell of their day
    *(REPOSITORY / name for name in ("CONTRIBUTING.md", "README.md", "pyproject.toml", "mkdocs.yml")),
    *(path for folder in ("src", "benchmarks", "docs") for path in (REPOSITORY / folder).rglob("*.py")),
    *(path for path in (REPOSITORY / "tests").rglob("*.py") if path != pathlib.Path(__file__).resolve()),
]

DOTTED = re.compile(rf"`+(?:thalweg\.)?((?:{'|'.join(ROOMS)})(?:\.[A-Za-z_]\w*)+)(?<!\.json)(?<!\.py)(?:\(\))?`")
"""A name within a room, in backticks: `core.files.write_atomically`; `data.json` is a file of a run."""
SLASHED = re.compile(
    rf"\b(?<![/.-])(?:src/)?(?:thalweg/)?((?:{'|'.join(ROOMS)}|tests|benchmarks|docs)/[\w/-]+\.(?:py|md|po|js|css|html)\b)"
)
"""A file as text names it, within a room or beside the package: `training/checkpoint.py`, `docs/data.md`."""


@functools.cache
def nodes(path):
    """Everything in a file's syntax tree; walked once."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@functools.cache
def bound(path):
    """Names that lines of a module bind, by the look of the lines: parsing the whole package would take seconds.

    Definitions, assignments and imports, of any depth; the root's lazy names too.
    """
    text = path.read_text(encoding="utf-8")
    names = set(re.findall(r"^ *(?:async )?(?:def|class) (\w+)", text, re.MULTILINE))
    for some in re.findall(r"^ *([\w, ]+)(?:: [^=\n]+)? = ", text, re.MULTILINE):
        names |= set(re.findall(r"\w+", some))
    for some in re.findall(r"^ *(?:from [\w.]+ )?import (\([^)]*\)|.*)$", text, re.MULTILINE):
        names |= set(re.findall(r"\w+", some))
    if path == SOURCE / "thalweg" / "__init__.py":
        names |= set(re.findall(r'"(\w+)"', text))
    return names


@functools.cache
def exists(dotted):
    """Whether a dotted name from `thalweg` on is a module, or something in one (classes are not looked into)."""
    place, parts = SOURCE, dotted.split(".")
    for part in parts:
        if (place / part / "__init__.py").is_file():
            place = place / part
        elif (place / f"{part}.py").is_file():
            place = place / f"{part}.py"
        else:
            module = place if place.suffix else place / "__init__.py"
            return part in bound(module)
    return True


def imported(path):
    """Every name of the package that a script imports, wherever the import stands, with its line."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and "thalweg" in str(
            node.value
        ):  # code for another process, names to patch
            names = re.findall(r"(?:from|import) (thalweg[\w.]*)", node.value)
            names += [f"{place}.{name}" for place, name in re.findall(r"from (thalweg[\w.]*) import (\w+)", node.value)]
            names += [node.value] if re.fullmatch(r"thalweg(\.\w+)+", node.value) else []
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.partition(".")[0] == "thalweg")


def place(path):
    return path.relative_to(REPOSITORY).as_posix()


def test_what_scripts_import_is_there():
    missing = [f"{place(path)}:{line} {name}" for path in SCRIPTS for line, name in imported(path) if not exists(name)]
    assert missing == []


def test_what_scripts_ask_of_modules_is_there():
    """`from thalweg.data import store`, then `store.read`: the module may be another one of that name by now."""
    missing = []
    for path in SCRIPTS:
        modules = {}
        for node in nodes(path):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "thalweg":
                for alias in node.names:
                    file = SOURCE.joinpath(*node.module.split("."), f"{alias.name}.py")
                    modules.update({alias.asname or alias.name: file} if file.is_file() else {})
        for node in nodes(path):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                file = modules[node.value.id]
                if node.attr not in bound(file) and not node.attr.startswith("__"):
                    missing.append(f"{place(path)}:{node.lineno} {node.value.id}.{node.attr}")
    assert missing == []


def unknown(text):
    """What a text names and is not there, each with the place where it stands in the text."""
    for found in DOTTED.finditer(text):
        if not exists(f"thalweg.{found[1]}"):
            yield found.start(), found[1]
    for found in SLASHED.finditer(text):
        if not any((home / found[1]).is_file() for home in (SOURCE / "thalweg", REPOSITORY)):
            yield found.start(), found[1]


def test_what_text_names_is_there():
    missing = []
    for path in PROSE:
        text = path.read_text(encoding="utf-8")
        missing += [f"{place(path)}:{1 + text.count(chr(10), 0, start)} {name}" for start, name in unknown(text)]
    assert missing == []


def test_what_text_names_and_is_not_there_is_seen():
    here = "`core.files` and core/files.py, `data.json`, tests/conftest.py\n"
    gone = "`core.filed`, src/thalweg/core/filed.py and tests/conf.py"
    assert [name for _, name in unknown(here + gone)] == ["core.filed", "core/filed.py", "tests/conf.py"]


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("thalweg.train", True),
        ("thalweg.core.files.write_atomically", True),
        ("thalweg.core.files", True),
        ("thalweg.core.nowhere", False),
        ("thalweg.core.files.nothing", False),
    ],
)
def test_a_name_is_found_only_where_it_is(name, there):
    assert exists(name) is there
