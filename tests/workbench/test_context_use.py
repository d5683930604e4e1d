import numpy as np
import pytest
import torch

from thalweg.core.codec import from_plain, to_plain
from thalweg.core.context_use import ContextUse
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.context import CONTEXTS, context_sources
from thalweg.networks.segmentation import segmenter
from thalweg.workbench.context_use import measure_context, usual_radii


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_network_is_measured_and_left_as_it_was(context):
    spec = segmenter(Shape(3, (32, 40)), 3, context=context)
    module = build(spec.logits()[0], seed=0).train()
    before = {key: each.clone() for key, each in module.state_dict().items()}
    pixels = torch.rand(3, 3, 32, 40) * 255
    truth = np.random.default_rng(0).choice([0, 1, 255], (3, 32, 40))
    use = measure_context(module, spec, pixels, truth, ["a", "b", "c"], each=2, radii=(4, 39))
    assert all(curve.agreement[-1] == 1.0 for curve in use.curves)  # radius 39 keeps everything
    assert use.whole == (context != "none")
    assert use.field == (32, 40) if use.whole else min(use.field) > 40
    assert [each.share for each in use.reach] == [0.5, 0.9, 0.99]
    assert use.reach[0].radius <= use.reach[1].radius <= use.reach[2].radius
    assert (use.removal is None) == (context == "none")
    assert use.places == {"a": 2, "b": 2, "c": 0}
    assert any("no pixel of c" in note for note in use.notes)
    assert module.training
    assert all(torch.equal(each, before[key]) for key, each in module.state_dict().items())
    assert to_plain(from_plain(ContextUse, to_plain(use))) == to_plain(use)


def test_what_context_enters_through_looks_further_than_its_own_position():
    from thalweg.accounting.ledger import receptive_fields

    for context, number in zip(CONTEXTS[1:], (1, 4, 4, 1, 1), strict=True):
        spec = segmenter(Shape(3, (384, 512)), 3, context=context)
        sources = context_sources(spec)
        assert len(sources) == number
        fields = receptive_fields(spec)
        own = fields["stage4.relu2"][0].size
        assert all(fields[name][0].size > own or fields[name][0].whole for name in sources)


def test_radii_double_up_to_the_whole():
    assert usual_radii(180, 240) == (2, 4, 8, 16, 32, 64, 128, 240)
