"""Formulas in characters, LaTeX and MathML."""
