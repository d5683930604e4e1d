"""A page a lab: what the experiment says of itself, and what it found in the committed result."""

import ast
import json
import pathlib
import re
from collections.abc import Mapping

from thalweg.experiments.lab import labs

__all__ = ["lab_pages"]


def lab_pages(repository: pathlib.Path) -> dict[str, str]:
    """Write a page for every experiment of `thalweg lab`.

    Args:
        repository: Where `src`, `docs` and `benchmarks` lie.

    Returns:
        Markdown by the page's name in the site.

    Raises:
        KeyError: An experiment has no paragraph in `docs/lab.md`.
    """
    guide = (repository / "docs" / "lab.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^- \*\*([\w-]+)\*\*: (.*?)(?=\n- |\n\n|\Z)", guide, re.DOTALL | re.MULTILINE))
    pages = {}
    for name, summary in labs().items():
        if name not in told:
            raise KeyError(f"docs/lab.md does not tell what lab {name} does: begin a paragraph with - **{name}**:")
        result = repository / "benchmarks" / "results" / f"lab-{name}.json"
        measured = json.loads(result.read_text(encoding="utf-8")) if result.is_file() else None
        pages[f"labs/{name}.md"] = _page(name, summary, told[name], _takes_source(repository, name), measured)
    return pages


def _takes_source(repository: pathlib.Path, name: str) -> bool:
    """Whether an experiment takes the user's data, read from its file: importing it would load torch."""
    path = repository / "src" / "thalweg" / "experiments" / "labs" / f"{name.replace('-', '_')}.py"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Lab":
            return any(word.arg == "takes_source" and ast.literal_eval(word.value) for word in node.keywords)
    raise LookupError(f"{path.name} makes no Lab")


def _page(name: str, summary: str, told: str, takes_source: bool, measured: Mapping[str, object] | None) -> str:
    answer = measured["answer"] if measured else {}
    told = re.sub(r"\]\((?!https?:)", "](../", " ".join(told.split()))
    lines = [f"# {name}", "", f"**{answer.get('question', summary)}**", "", f"What it does: {told}", ""]
    lines += ["## Run it", "", "```", f"thalweg lab {name} --quick   # within two minutes on two free cores"]
    lines += [f"thalweg lab {name}"]
    if takes_source:
        lines += [f"thalweg lab {name} photos/   # on data of your own"]
    lines += ["```", ""]
    if not takes_source:
        lines += ["It measures on problems of its own and takes no data.", ""]
    if not measured:
        return "\n".join([*lines, "No result of it is committed yet."]) + "\n"
    lines += _result(name, measured)
    lines += ["## What was found", ""]
    for finding in answer["findings"]:
        verdict = finding["verdict"]
        lines += [f"<span class='verdict {verdict}'>{verdict}</span> **{_text(finding['claim'])}**", ""]
        lines += [f"{_sentence(finding['observed'])}", ""]
        if finding["fails"]:
            lines += [f"Where it fails: {_text(finding['fails'])}.", ""]
    lines += ["## Numbers", "", *_table(answer["table"]), ""]
    lines += ["## Set-up", "", *_table([{"what": what, "how": how} for what, how in answer["setup"].items()]), ""]
    lines += ["## What this does not show", "", *(f"- {_text(limit)}" for limit in answer["limits"]), ""]
    if answer["figures"]:
        lines += ["## What its page draws", "", *(f"- {_text(figure['caption'])}" for figure in answer["figures"]), ""]
    return "\n".join(lines)


def _result(name: str, measured: Mapping[str, object]) -> list[str]:
    machine, packages = measured["environment"]["hardware"], measured["environment"]["packages"]
    command = re.sub(r" --(json|workers \d+)\b", "", str(measured["command"]))
    words = (
        f"What follows is `{command}` as committed in `benchmarks/results/lab-{name}.json`: {machine['cores']} cores "
        f"of an {machine['processor']}, torch {packages['torch']}, "
        f"{measured['processor_seconds']:,.0f} s of processor time, "
        f"{measured['wall_seconds']:,.0f} s by the clock at a load of {measured['load_at_start']:.1f}. "
        "Supported, contradicted and undecided are said of this set-up, not of the world."
    )
    return [words, ""]


def _table(rows: list[Mapping[str, object]]) -> list[str]:
    if not rows:
        return []
    header = list(rows[0])
    lines = [header, ["---"] * len(header), *(list(row.values()) for row in rows)]
    return ["| " + " | ".join(_text(cell) for cell in line) + " |" for line in lines]


def _sentence(words: str) -> str:
    words = _text(words)
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")


def _text(words: object) -> str:
    """Words as Markdown in which nothing is markup."""
    return re.sub(r"([\\*_`|\[\]])", r"\\\1", str(words)).replace("<", "&lt;").replace("\n", " ")
