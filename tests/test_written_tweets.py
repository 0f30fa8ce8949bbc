"""Tweets to measure on, and the figure by which sentiment models are compared."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from course import mask
from milestone2.examples import TWEETS
from milestone2.tweets import LABELS, load_tweets, macro_recall


@pytest.fixture
def write(tmp_path):
    """Write a CSV file; returns its path."""

    def make(text: str, name: str = "tweets.csv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return make


def test_written_tweets_are_even_mild_and_no_model_of_the_course_shows_them_elsewhere():
    tweets = load_tweets()
    assert tweets["label"].value_counts().to_dict() == dict.fromkeys(LABELS, 32)
    assert tweets["text"].is_unique and tweets["text"].str.len().max() <= 140
    assert all(mask(text) == text for text in tweets["text"])
    assert not set(tweets["text"]) & {text for text, _ in TWEETS}


@pytest.mark.parametrize("source", ["practice", "jigsaw", "competition.zip"])
def test_sources_of_comments_give_the_written_tweets(source):
    assert load_tweets(source).equals(load_tweets())


def test_kaggles_comments_give_the_written_tweets(write):
    kaggle = write("id,comment_text,toxic,severe_toxic,obscene,threat,insult,identity_hate\na,Hello,0,0,0,0,0,0\n")
    assert load_tweets(kaggle).equals(load_tweets())


@pytest.mark.parametrize("name", ["tweets.csv", "tweets.csv.gz"])
def test_only_rows_held_back_are_taken_where_the_file_says_which(write, name):
    path = write('text,label,split\nseen,0,train\n"NA",1,val\n"null, no",2,test\n', name)
    assert load_tweets(path).to_dict("list") == {"text": ["NA", "null, no"], "label": ["neutral", "positive"]}


def test_all_rows_are_taken_where_the_file_holds_none_back_or_as_many_as_asked_for(write):
    path = write("text,label\n" + "".join(f"tweet {number},{number % 3}\n" for number in range(30)))
    assert len(load_tweets(path)) == 30
    few = load_tweets(path, rows=7)
    assert len(few) == 7 and few.equals(load_tweets(path, rows=7))
    assert all(LABELS[int(text.split()[1]) % 3] == label for text, label in zip(few["text"], few["label"]))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("tweet,label\nHello,1\n", "its header has tweet, label, but text is missing"),
        ("text,label\nHello,happy\n", "row 1 needs a text, and a label of 0"),
        ("text,label\nHello,1\n ,2\n", "row 2 needs a text"),
        ("", "cannot be read as CSV"),
    ],
)
def test_an_unusable_file_is_refused_with_its_name_and_the_reason(write, content, says):
    path = write(content)
    with pytest.raises(ValueError, match=says) as refused:
        load_tweets(path)
    assert str(path) in str(refused.value)


def test_files_that_are_no_text_or_not_there_are_refused(write, tmp_path):
    with pytest.raises(ValueError, match="cannot be read as CSV"):
        load_tweets(write("text,label\n", "plain.csv").rename(tmp_path / "not-gzip.csv.gz"))
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        load_tweets(tmp_path / "missing.csv")


@pytest.fixture
def answers():
    """300 texts of unequal classes, and answers that are right twice in three times."""
    draw = np.random.default_rng(1)
    truth = draw.choice(LABELS, size=300, p=[0.15, 0.5, 0.35])
    return truth, np.where(draw.random(300) < 2 / 3, truth, draw.choice(LABELS, size=300))


def test_macro_recall_is_scikit_learns_and_always_neutral_gets_a_third(answers):
    truth, predicted = answers
    assert macro_recall(truth, predicted)[0] == pytest.approx(recall_score(truth, predicted, average="macro"))
    assert macro_recall(truth, ["neutral"] * 300)[0] == pytest.approx(1 / 3)


def test_interval_is_that_of_a_plain_bootstrap_with_scikit_learn(answers):
    truth, predicted = answers
    draw = np.random.default_rng(5)
    rows = draw.integers(300, size=(1500, 300))
    values = [recall_score(truth[row], predicted[row], average="macro") for row in rows]
    _, low, high = macro_recall(truth, predicted, repeats=4000)
    assert (low, high) == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])), abs=0.008)


def test_a_perfect_model_has_an_interval_of_no_width_and_few_texts_give_a_wide_one(answers):
    truth, predicted = answers
    assert macro_recall(truth, truth) == (1.0, 1.0, 1.0)
    few = macro_recall(truth[:30], predicted[:30])
    many = macro_recall(truth, predicted)
    assert few[2] - few[1] > 1.5 * (many[2] - many[1])


def test_a_label_that_a_draw_lacks_is_left_out_of_that_draw():
    truth = pd.Series(["negative", *["neutral"] * 9])
    figure, low, high = macro_recall(truth, truth.replace("negative", "neutral"))
    assert figure == 0.5 and (low, high) == (0.5, 1.0)
