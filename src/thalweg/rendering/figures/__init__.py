"""Figures as SVG: curves, bars, dots, maps, confusions, pictures side by side."""
