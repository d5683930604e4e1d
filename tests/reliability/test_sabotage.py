"""Two sabotages of the code that the tests must notice; benchmarks/reliability/sabotage.py has all of them."""


def test_the_tests_notice_when_a_guard_is_taken_away(kept):
    assert kept("sabotage")["held"] > 0


def test_every_sabotage_still_finds_the_words_it_replaces(script):
    module = script("sabotage")
    for each in module.SABOTAGES:
        text = (module.REPOSITORY / "src" / "thalweg" / each.file).read_text(encoding="utf-8")
        assert text.count(each.old) == 1, each.name
        assert (module.REPOSITORY / each.tests).is_file()
