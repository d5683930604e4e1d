"""Values become something to look at: an HTML report, figures and network drawings as SVG, tables, terminal text."""
