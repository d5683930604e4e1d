"""The colours of every figure, light and dark, told apart by people who see few colours.

Lines follow Okabe and Ito (2008, "Color Universal Design"), darkened or lightened until they stand 3:1 against the
paper they lie on; lines differ in their markers and dashes as well. Every drawing carries its own style, so that it
looks the same inside a report and as a file of its own.
"""

__all__ = ["DASHES", "LINES_DARK", "LINES_LIGHT", "figure_style"]

LINES_LIGHT = ("#0072b2", "#c65102", "#00805e", "#b0417e", "#7a6a00", "#4b5fc4", "#8a3b12", "#5c6770")
LINES_DARK = ("#5bb8ec", "#f2a33c", "#2fc79a", "#eb9cc6", "#ece04a", "#a5b0ff", "#e08a5b", "#b4bfc6")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 3", "6 2 2 2")

_LIGHT = {"paper": "#fffdf9", "ink": "#1c2a30", "dim": "#59676d", "grid": "#e3e0d8", "axis": "#8c979b"}
_DARK = {"paper": "#182226", "ink": "#e9eef0", "dim": "#a3b1b7", "grid": "#2c393e", "axis": "#6d7c82"}

_RULES = """
svg.tw{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Vazirmatn,Tahoma,sans-serif}
.tw text{fill:var(--tw-ink);font-size:12px}
.tw .dim,.tw text.dim{fill:var(--tw-dim)}
.tw .small{font-size:11px}
.tw .end{text-anchor:end}
.tw .middle{text-anchor:middle}
.tw .grid{stroke:var(--tw-grid);stroke-width:1}
.tw .axis{stroke:var(--tw-axis);stroke-width:1}
.tw .mark{stroke:var(--tw-dim);stroke-width:1;stroke-dasharray:3 3}
.tw .diagonal{stroke:var(--tw-dim);stroke-width:1.5;stroke-dasharray:5 4}
.tw .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.tw .halo{paint-order:stroke;stroke:var(--tw-paper);stroke-width:4px;stroke-linejoin:round}
"""


def variables(names: dict[str, str]) -> str:
    """Write CSS variables.

    Args:
        names: Values by their name, without the leading `--tw-`.

    Returns:
        The declarations on one line.

    Example:
        >>> variables({"ink": "#000"})
        '--tw-ink:#000'
    """
    return ";".join(f"--tw-{name}:{value}" for name, value in names.items())


def figure_style(light: dict[str, str] | None = None, dark: dict[str, str] | None = None, rules: str = "") -> str:
    """Write the style element of a drawing, for light and dark screens; paper is always light.

    Args:
        light: Further colours for light screens, by name.
        dark: The same names for dark screens.
        rules: Further CSS rules, each under `.tw`.

    Returns:
        A `<style>` element.

    Example:
        >>> "prefers-color-scheme:dark" in figure_style()
        True
    """
    bright = {**_LIGHT, **{f"line{index}": colour for index, colour in enumerate(LINES_LIGHT)}, **(light or {})}
    dim = {**_DARK, **{f"line{index}": colour for index, colour in enumerate(LINES_DARK)}, **(dark or {})}
    lines = "".join(
        f".tw .line{index}{{stroke:var(--tw-line{index});color:var(--tw-line{index})}}"
        f".tw .fill{index}{{fill:var(--tw-line{index})}}"
        for index in range(len(LINES_LIGHT))
    )
    return (
        f"<style>svg.tw{{{variables(bright)}}}"
        f"@media screen and (prefers-color-scheme:dark){{svg.tw{{{variables(dim)}}}}}"
        f"{_RULES}{lines}{rules}</style>"
    )
