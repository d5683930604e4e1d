"""The forms in which `derive` answers: text, LaTeX, Markdown and a page, for a derivation and for a dependence."""

from pathlib import Path

from thalweg.core.dependence import Dependence
from thalweg.core.derivation import Derivation
from thalweg.core.errors import PlanError
from thalweg.core.files import OUR_PAGE, printable, refuse_foreign, write_atomically
from thalweg.rendering.papers.dependence import dependence_paper
from thalweg.rendering.papers.derivation import derivation_paper
from thalweg.rendering.papers.latex import LATEX_HEAD

__all__ = ["FORMS", "choose_form", "keep_paper", "write_paper"]

FORMS = ("text", "latex", "markdown", "html")
_ENDINGS = {
    ".txt": "text", ".tex": "latex", ".ltx": "latex", ".md": "markdown", ".markdown": "markdown", ".html": "html",
    ".htm": "html",
}  # fmt: skip


def choose_form(form: str | None, out: Path | None) -> str:
    """Find out which form is wanted, before any work is done.

    Args:
        form: As named by the user, or None.
        out: The file that will be written, or None.

    Returns:
        One of `FORMS`.

    Raises:
        PlanError: The form is unknown, or the file cannot be written there.

    Example:
        >>> choose_form(None, Path("a.tex")), choose_form(None, None)
        ('latex', 'text')
    """
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        what = "is a folder" if out.is_dir() else "lies in a folder that does not exist"
        raise PlanError(f"--out {printable(out)} {what}; name a file in a folder that does")
    if form is None:
        form = "text" if out is None else _ENDINGS.get(out.suffix.lower(), "")
        if not form:
            raise PlanError(f"{printable(out or '')}: say what to write with --format ({', '.join(FORMS)})")
    if form not in FORMS:
        raise PlanError(f"--format {printable(form)}: choose one of {', '.join(FORMS)}, or give --json")
    return form


def write_paper(
    result: Derivation | Dependence, form: str = "text", *, width: int = 80, plain: bool = False, colour: bool = False
) -> str:
    """Write an answer of `derive`.

    Args:
        result: The answer.
        form: One of `FORMS`.
        width: Columns of a terminal.
        plain: ASCII alone, in text.
        colour: Bold headings, in text.

    Returns:
        The text.
    """
    paper = dependence_paper(result) if isinstance(result, Dependence) else derivation_paper(result)
    match form:
        case "latex":
            from thalweg.rendering.papers.latex import paper_latex

            return paper_latex(paper)
        case "markdown":
            from thalweg.rendering.papers.markdown import paper_markdown

            return paper_markdown(paper)
        case "html":
            from thalweg.rendering.papers.page import paper_page
            from thalweg.rendering.papers.report import paper_report

            whole = paper if isinstance(result, Dependence) else derivation_paper(result, whole=True)
            return paper_page(paper, data=paper_report(whole))
        case _:
            from thalweg.rendering.papers.text import paper_text

            return paper_text(paper, width=width, plain=plain, colour=colour)


def keep_paper(result: Derivation | Dependence, form: str, out: Path) -> None:
    """Write an answer of `derive` into a file, where only an earlier one may be replaced.

    Args:
        result: The answer.
        form: One of `FORMS`.
        out: The file.

    Raises:
        PlanError: There is another file, which would be lost.
        OSError: It cannot be written.
    """
    text = write_paper(result, form)
    ours = {"html": OUR_PAGE, "latex": LATEX_HEAD.encode()}
    title = text.partition("\n")[0].partition("(")[0]
    refuse_foreign(out, "--out", ours.get(form) or title.encode(), marked=form in ours)
    write_atomically(out, text)
