"""Hostile pictures among good ones; benchmarks/reliability/hostile.py has the long form."""


def test_every_hostile_file_is_used_or_named_and_never_used_silently(kept, shared_data):
    result = kept("hostile")
    assert result["cases"] == 116
    assert result["folder_unchanged"]
