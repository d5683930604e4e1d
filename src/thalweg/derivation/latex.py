r"""LaTeX as students type it, turned into formulas: `\frac{a}{b}`, `f_{11}`, `\begin{pmatrix} a & b \end{pmatrix}`."""

import re

__all__ = ["from_latex"]

_NOISE = re.compile(
    r"\\(?:left|right|big|Big|bigg|Bigg|bigl|bigr|Bigl|Bigr|displaystyle|textstyle|limits|hline|nonumber|quad|qquad)\b\.?"
    r"|\\[,;:! ]|\$|\\[\[\]()]|(?<!\\)%.*|\\(?:label|tag)\{[^{}]*\}"
)
_AROUND = re.compile(
    r"\\(?:begin|end)\{(?:document|align|aligned|equation|gather|gathered|split|math|displaymath)\*?\}"
)
_MATRIX = re.compile(
    r"\\begin\{((?:[pbvBV]?(?:small)?matrix|array)\*?)\}(?:\s*\[[^\]]*\])?(?(1)(?:\s*\{[lcr| ]*\})?)"
    r"((?:(?!\\begin\{).)*?)\\end\{\1\}",
    re.DOTALL,
)
_WORD = re.compile(r"\\(?:operatorname|mathrm|mathbf|mathit|mathsf|mathcal|boldsymbol|bm|text|textrm|mathbb|mathbbm)\*?"
                   r"\s*\{\s*([^{}]*?)\s*\}")  # fmt: skip
_WHERE = re.compile(r"\b1\s*_\s*\{\s*\\?\{?\s*([^<>]+?)\s*>(=?)\s*0\s*(?:\\?\})?\s*\}")
_FRACTION = re.compile(r"\\[dtc]?frac\s*(\{[^{}]*\}|\w)\s*(\{[^{}]*\}|\w)")
_DERIVATIVE = re.compile(r"\\[dtc]?frac\s*\{\s*d\s*([A-Za-z]\w*)\s*\}\s*\{\s*d\s*([A-Za-z]\w*)\s*\}")
_NAMES = "exp|log|ln|max|tanh|alpha|beta|gamma|delta|epsilon|eta|theta|mu|nu|rho|tau|phi|psi|omega|kappa"
_SIGNS = {"cdot": "*", "times": "*", "ast": "*", "cdotp": "*", "div": "/", "partial": "d ", "sigma": "sigmoid",
          "ge": ">=", "geq": ">=", "gt": ">", "ldots": "?", "dots": "?", "cdots": "?", "lambda": "lambda_"}  # fmt: skip


def from_latex(text: str) -> str:
    r"""Turn LaTeX into the notation of formulas; text without a backslash, a dollar or `^{` is left as it is.

    Args:
        text: A formula, a matrix or an equation, in LaTeX or not.

    Returns:
        The same with brackets and signs; commands that are not known stay.

    Example:
        >>> from_latex(r"c \cdot \begin{bmatrix} f_{1} & f_{2} \\ f_{3} & \frac{f_4}{2} \end{bmatrix}")
        'c  * [[f_1,f_2],[f_3,((f_4)/(2))]]'
        >>> from_latex(r"\sigma(y_1)\,\left(1 - e^{-y_{1}}\right)")
        'sigmoid(y_1) (1 - exp(-y_1) )'
    """
    if not re.search(r"[\\$]|\^\s*\{|\be\s*\^", text):
        return text
    text = text.partition(r"\begin{document}")[2].partition(r"\end{document}")[0] or text
    text = re.sub(r"\\\\(?:\s*\[[^\]]*\])?", "\0", text)  # the end of a row, before its backslashes mean anything else
    text = _AROUND.sub("", text)
    text = _WORD.sub(r" \1", text)
    text = _WHERE.sub(r" [\1>\2 0]", text)
    text = re.sub(r"\\([A-Za-z]+)", lambda found: f" {_SIGNS[found[1]]}" if found[1] in _SIGNS else found[0], text)
    text = re.sub(r"_\s*\{\s*([^{}]*?)\s*\}", lambda found: "_" + re.sub(r"[\s,]+", "_", found[1]), text)
    text = _DERIVATIVE.sub(r"d\1_d\2", text)
    before = None
    while before != text:
        before = text
        text = re.sub(r"\be\s*\^\s*(?:\{([^{}]*)\}|(\w))", lambda found: f"exp({found[1] or found[2]})", text)
        text = re.sub(r"\^\s*\{\s*(-?\d+)\s*\}", r"**(\1)", text)
        text = _FRACTION.sub(lambda found: f"(({found[1].strip('{}')})/({found[2].strip('{}')}))", text)
    while (found := _MATRIX.search(text)) is not None:
        text = text[: found.start()] + _matrix(found[2]) + text[found.end() :]
    text = re.sub(r" +", " ", _NOISE.sub(" ", text))
    text = re.sub(rf"\\({_NAMES})\b", r"\1", text)
    return text.replace("&", "").replace("\0", "\n").replace("{", "(").replace("}", ")").strip()


def _matrix(inside: str) -> str:
    rows = [row for row in inside.split("\0") if row.strip()]
    return "[" + ",".join(f"[{','.join(cell.strip() for cell in row.split('&'))}]" for row in rows) + "]"
