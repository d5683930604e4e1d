"""Files that would run code are read without running it; benchmarks/reliability/payloads.py."""


def test_no_payload_is_executed(kept):
    result = kept("payloads")
    assert result["cases"] >= 30
    assert result["pickles_that_python_would_run"] >= 6
