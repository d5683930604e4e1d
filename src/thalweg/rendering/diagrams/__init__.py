"""Networks drawn: SVG, characters, Mermaid, DOT, from one grouping and one layout."""
