"""TODO"""

from thalweg.core.files import write_atomically


def write_mask_report(folder, *, loaded, plan, scored, diagnosed=None):
    from thalweg.core.codec import dumps
    from thalweg.core.report import Report
    from thalweg.rendering.html import render_html

    c = Report(title="x", answer=("a",), sections=())
    write_atomically(folder.path / "report.json", dumps(c))
    folder.write_text("report.html", render_html(c))
