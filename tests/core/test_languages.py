import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.core.catalogue_file import read_catalogue
from thalweg.core.errors import PlanError, ThalwegError
from thalweg.core.languages import Said, Speaker, said, speaker, speaking

PAGE = Speaker("fa", isolated=True)


def test_numbers_names_and_nested_sentences_are_each_said_their_way():
    text = "Most frequent mistake: cat taken for گربه, 1,204 of 3,000 files (40%)."
    assert PAGE.say(text) == (
        "پرتکرارترین اشتباه: \u2068cat\u2069 که \u2068گربه\u2069 شمرده شد، ۱٬۲۰۴ از ۳٬۰۰۰ فایل (۴۰٪)."
    )
    course = "it does not learn: the training loss stays at 0.69 and the validation loss at 0.7"
    assert Speaker("fa").say(course) == "یاد نمی‌گیرد: زیان آموزش در ۰٫۶۹ می‌ماند و زیان اعتبارسنجی در ۰٫۷"


def test_sentences_one_after_another_are_said_one_by_one():
    both = "No file was left out. Nothing else was found."
    assert Speaker("fa").say(both) == "هیچ فایلی کنار گذاشته نشد. چیز دیگری یافت نشد."


def test_a_command_inside_a_sentence_keeps_its_digits_and_its_direction():
    text = "Next: the validation loss was still falling; try --epochs 12."
    assert "\u2066--epochs \u206812\u2069\u2069" in PAGE.say(text)
    assert "--epochs 12" in Speaker("fa").say(text)


def test_a_class_that_is_called_like_one_of_our_words_stays_itself_in_a_cell():
    assert PAGE.say("training", "cell") == "training"
    assert PAGE.say("wrong", "cell") == "wrong"


def test_a_whole_sentence_goes_before_a_pattern_of_its_place():
    assert PAGE.say("Balanced accuracy", "label") == "دقت متوازن"


def test_what_nobody_knows_stays_as_it_is_and_is_not_marked():
    assert not isinstance(PAGE.say("an unheard sentence, of all things"), Said)


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=60))
def test_any_text_gets_an_answer_and_names_never_turn_the_page(name):
    answer = PAGE.say(f"Most frequent mistake: {name} taken for dog, 1 of 2 files (50%).")
    for sign in "\u202a\u202b\u202c\u202d\u202e\u200e\u200f":
        assert sign not in answer or not isinstance(answer, Said)
    assert answer.count("\u2068") >= answer.count("\u2069") - answer.count("\u2066") or not isinstance(answer, Said)


def test_the_language_of_the_moment_ends_with_its_block():
    assert said("No file was left out.") == "No file was left out."
    with speaking("fa"):
        assert said("No file was left out.").startswith("هیچ")
    assert said("No file was left out.") == "No file was left out."


def test_another_thread_speaks_its_own_language():
    heard = []
    with speaking("fa"):
        other = threading.Thread(target=lambda: heard.append(said("No file was left out.")))
        other.start()
        other.join()
    assert heard == ["No file was left out."]


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(PlanError, match="en, fa"):
        speaker("tlh")


@pytest.mark.parametrize("bad", ["hello", 'msgid "a', "msgid 3", '"before any word"'])
def test_a_broken_catalogue_is_named_with_its_line(bad):
    with pytest.raises(ThalwegError, match=r"xx\.po, line 2"):
        read_catalogue(f"# c\n{bad}", "xx.po")
