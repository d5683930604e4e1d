"""Interventions are events with numbers."""

import json
import math

from thalweg.core.codec import dumps
from thalweg.core.history import Event
from thalweg.core.intervention import Intervention


def test_an_intervention_is_an_event_whose_numbers_reach_json() -> None:
    made = Intervention.made(step=41, kind="roll_back", reason="the loss rose", before=0.8, after=0.4, back=30)
    assert isinstance(made, Event)
    plain = json.loads(dumps(made))
    assert plain["learning_rate_before"] == 0.8
    assert plain["learning_rate_after"] == 0.4
    assert plain["steps_rolled_back"] == 30
    assert {"epoch", "step", "kind", "message"} <= set(plain)


def test_the_sentence_says_what_was_done_and_why() -> None:
    raised = Intervention.made(step=1, kind="raise_rate", reason="trials did better", before=1e-6, after=0.1)
    assert raised.message == "raised, learning rate 1e-06 -> 0.1: trials did better"
    skipped = Intervention.made(step=1, kind="skip_update", reason="NaN", before=0.1, after=0.1)
    assert skipped.message == "skipped the update: NaN"
    assert math.isnan(Intervention(epoch=0, step=1, kind="x", message="y").learning_rate_before)
