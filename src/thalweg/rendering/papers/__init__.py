"""Worked-out sheets of mathematics: as text, Markdown, LaTeX, a page, a report."""
