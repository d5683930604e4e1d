"""Files stay short, are named after what they hold, say what they are for, and say what they export."""

import ast
import io
import pathlib
import tokenize

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "thalweg"
LONGEST = 350
REASON = "Long because"
VAGUE = {"util", "utils", "helper", "helpers", "common", "manager", "misc"}

MODULES = sorted(SOURCE.rglob("*.py"))
SCRIPTS = sorted(path for folder in ("tests", "benchmarks", "docs") for path in (REPOSITORY / folder).rglob("*.py"))


def _place(path):
    return path.relative_to(REPOSITORY).as_posix()


def _first_comment(text):
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return next((token.string for token in tokens if token.type == tokenize.COMMENT), "")


def _exports(tree):
    """Names in `__all__`, or None where the module has none."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return ast.literal_eval(node.value)
    return None


def _defined(tree):
    """Names a module binds at its top level."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
    return names


def _folders(paths):
    return sorted({path.parent for path in paths})


@pytest.mark.parametrize("folder", _folders(MODULES + SCRIPTS), ids=_place)
def test_files_are_short_or_say_why_not(folder):
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        lines = len(text.splitlines())
        assert lines <= LONGEST or REASON in _first_comment(text), (
            f"{_place(path)} has {lines} lines; split it, or let its first comment say `# {REASON} ...`"
        )


def test_no_file_or_folder_is_named_after_nothing():
    for path in MODULES + SCRIPTS:
        words = {word for part in path.relative_to(REPOSITORY).with_suffix("").parts for word in part.split("_")}
        assert words & VAGUE == set(), f"{_place(path)}: name it after the value it works on"


@pytest.mark.parametrize("folder", _folders(MODULES), ids=_place)
def test_modules_say_what_they_are_for_and_what_they_export(folder):
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), f"{_place(path)} has no docstring"
        exports = _exports(tree)
        if exports is None:
            assert path.name in {"__init__.py", "__main__.py"} or path.parent.name == "cli", (
                f"{_place(path)} has no __all__"
            )
            continue
        assert len(exports) == len(set(exports)), f"{_place(path)}: a name is twice in __all__"
        if path.parent != SOURCE:  # the root makes its names on first use; test_exported_members.py looks after them
            assert set(exports) <= _defined(tree), f"{_place(path)}: __all__ names something the file does not have"


def test_every_folder_of_the_package_is_a_package():
    folders = {path.parent for path in MODULES}
    assert [_place(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_the_first_comment_is_what_excuses_length():
    assert REASON in _first_comment(f'"""Doc."""\n\n# {REASON} it is a table.\nx = 1  # other\n')
    assert _first_comment('x = "# no comment"\n') == ""
