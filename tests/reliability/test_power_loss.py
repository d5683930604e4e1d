"""After a power cut at any moment a run goes on from what the disk holds; benchmarks/reliability/power_loss.py."""


def test_every_state_that_a_power_cut_leaves_can_be_gone_on_from(kept):
    result = kept("power_loss")
    assert result["kinds"]["flush_folder"] >= 3
    assert result["kinds"]["unlink"] >= 1
    assert result["cases"] > 100


def test_the_replay_sees_a_flush_that_is_missing(script, monkeypatch):
    module = script("power_loss")
    monkeypatch.setattr("thalweg.core.files.flush_folder", lambda _: None)
    result = module.work(True)
    assert result["held"] < result["cases"]
