"""What the apps say of a text: right numbers, everything escaped, coarse words masked."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tiny_models import make_checkpoint

from milestone2.analysis import (
    MAX_CHARACTERS,
    Analysis,
    analysis_html,
    analyze,
    analyze_many,
    check_text,
    entry_html,
    error_sentence,
    examples_html,
    kept_classifier,
    summary,
)
from milestone2.catalogue import SHIPPED_MODELS
from milestone2.classifier import load_classifier
from milestone2.examples import EXAMPLES, TWEETS

ATTACK = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


class Page(HTMLParser):
    """The tags of some HTML, and the text that a reader sees."""

    def __init__(self, source: str):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return load_classifier(make_checkpoint(tmp_path_factory.mktemp("many"), thresholds={"toxic": 0.0, "threat": 1.01}))


def test_scores_are_the_classifiers_highest_first(classifier):
    analysis = analyze(classifier, "a text")
    expected = dict(zip(classifier.labels, classifier.score(["a text"])[0].tolist()))
    assert dict(analysis.scores) == expected
    assert [score for _, score in analysis.scores] == sorted(expected.values(), reverse=True)
    assert analysis.headline == analysis.scores[:2]


def test_labels_are_given_from_their_own_threshold_on(classifier):
    analysis = analyze(classifier, "a text")
    scores = dict(analysis.scores)
    wanted = {label for label in scores if scores[label] >= {"toxic": 0.0, "threat": 1.01}.get(label, 0.5)}
    assert set(analysis.given) == wanted and "toxic" in wanted and "threat" not in wanted


def test_sentences_for_people():
    several = Analysis("t", (("toxic", 0.91), ("insult", 0.5), ("threat", 0.001)), ("toxic",), True, False)
    assert summary(several) == "Labels given: toxic. The two highest: toxic 91.0%, insult 50.0%."
    assert summary(replace(several, given=())).startswith("No label reaches its threshold.")
    single = Analysis("t", (("positive", 0.985), ("negative", 0.015)), ("positive",), False, False)
    assert summary(single) == "positive 98.5%."


def test_everything_that_was_typed_is_shown_and_nothing_of_it_becomes_a_tag(classifier):
    page = Page(analysis_html(analyze(classifier, ATTACK)))
    assert ATTACK in page.text
    assert not {"img", "script"} & set(page.tags)
    assert not {"img", "script"} & set(Page(examples_html([ATTACK], analyze_many(classifier, [ATTACK]))).tags)
    hostile = Analysis(ATTACK, ((ATTACK, 0.5),), (ATTACK,), True, True)
    assert not {"img", "script"} & set(Page(analysis_html(hostile)).tags)
    entry = replace(SHIPPED_MODELS[0], description=ATTACK, licence=ATTACK, source=ATTACK, labels=(ATTACK,))
    assert not {"img", "script"} & set(Page(entry_html(entry, reason=ATTACK)).tags)


def test_every_label_has_a_bar_and_its_number(classifier):
    analysis = analyze(classifier, "a text")
    source = analysis_html(analysis)
    for label, score in analysis.scores:
        assert label in Page(source).text and f"{score:.1%}" in Page(source).text and f"width:{score:.1%}" in source


def test_coarse_words_are_masked_where_they_are_shown(classifier):
    assert "idiot" not in Page(analysis_html(analyze(classifier, "you idiot"))).text
    assert "idiot" not in examples_html(EXAMPLES)


def test_long_texts_say_that_only_their_beginning_was_read(classifier):
    assert "only its beginning" in analysis_html(analyze(classifier, "word " * 500))
    assert "only its beginning" not in analysis_html(analyze(classifier, "word " * 50))


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_nothing_to_read_is_said(text):
    with pytest.raises(ValueError, match="Write a text first"):
        check_text(text)


def test_too_much_to_read_is_said_with_numbers():
    assert check_text("a" * MAX_CHARACTERS)
    with pytest.raises(ValueError, match="5,001 characters; 5,000 is the most"):
        check_text("a" * (MAX_CHARACTERS + 1))


def test_examples_have_a_row_each(classifier):
    assert len(EXAMPLES) == 10
    assert Page(examples_html(EXAMPLES)).tags.count("tr") == 11
    scored = Page(examples_html(EXAMPLES, analyze_many(classifier, EXAMPLES)))
    assert scored.tags.count("td") == 50


def test_tweets_are_a_few_dozen_in_three_even_parts():
    texts = [text for text, _ in TWEETS]
    assert len(set(texts)) == len(texts) == 36
    feelings = [feeling for _, feeling in TWEETS]
    assert {feeling: feelings.count(feeling) for feeling in set(feelings)} == {
        "positive": 12,
        "neutral": 12,
        "negative": 12,
    }


def test_a_model_is_loaded_once_and_kept(tmp_path):
    folder = str(make_checkpoint(tmp_path))
    assert kept_classifier(folder) is kept_classifier(folder)


def test_other_peoples_errors_say_their_kind():
    assert error_sentence(OSError("No room.")) == "No room."
    assert "KeyError" in error_sentence(KeyError("x"))
