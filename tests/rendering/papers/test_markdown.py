import re

from thalweg.rendering.papers.derivation import derivation_paper
from thalweg.rendering.papers.markdown import paper_markdown
from thalweg.rendering.papers.paper import Paper, Words


def test_a_derivation_has_headings_paragraphs_and_closed_blocks(derivations):
    text = paper_markdown(derivation_paper(derivations()))
    lines = text.splitlines()
    assert lines[0] == "# Gradients of a convolution (conv2d)"
    assert lines.count("$$") % 2 == 0
    assert lines.count("$$") >= 12
    blocks = re.findall(r"^\$\$\n(.*?)^\$\$$", text, re.DOTALL | re.MULTILINE)
    assert all(block.count(r"\begin{") == block.count(r"\end{") for block in blocks)
    assert all("\n\n" not in block for block in blocks)


def test_the_sample_of_markdown(derivations, golden):
    golden("derivation.md", paper_markdown(derivation_paper(derivations())))


def test_words_cannot_become_markup(hostile):
    text = paper_markdown(Paper(title=hostile, lead=(Words(text="a_b_c *x* <b> $$ |"),), sections=()))
    assert "<script" not in re.sub(r"\\<", "", text)
    assert r"a\_b\_c \*x\* \<b\> \$\$ \|" in text
