"""Tweets and rated tweets to train a sentiment model on."""

from __future__ import annotations

import io
import tarfile
from collections import Counter

import pytest

from milestone3.comments import CommentsError
from milestone3.splitting import near_duplicate_key
from milestone3.tweets import load_rated_tweets, load_tweets


def write_csv(path, rows: list[tuple], header: str = "text,label,split"):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def tweets_file(tmp_path):
    """120 tweets to train on and 30 held back, of which two are near-copies of one to train on."""
    rows = [(f"tweet number {number}", number % 3, "train") for number in range(120)]
    rows += [(f"held back {number}", number % 3, "val") for number in range(28)]
    rows += [("Tweet... number 5!", 2, "val"), ("TWEET number 6", 0, "val")]
    return write_csv(tmp_path / "tweets.csv", rows)


def test_what_the_file_holds_back_is_the_test_part_and_nothing_like_it_is_trained_on(tweets_file):
    tweets = load_tweets(tweets_file)
    assert len(tweets["test"]) == 30
    keys = {part: {near_duplicate_key(text) for text in tweets[part]["text"]} for part in tweets}
    assert not keys["train"] & keys["test"] and not keys["train"] & keys["validation"]
    assert not keys["validation"] & keys["test"]
    assert len(tweets["train"]) + len(tweets["validation"]) == 118
    assert 8 <= len(tweets["validation"]) <= 18


def test_labels_stay_with_their_tweets(tweets_file):
    for part in load_tweets(tweets_file).values():
        for text, label in zip(part["text"], part["labels"]):
            if text.startswith("tweet"):
                assert label == int(text.split()[-1]) % 3


def test_a_file_without_splits_is_split_like_comments(tmp_path):
    path = write_csv(tmp_path / "tweets.csv", [(f"tweet {number}", number % 3) for number in range(300)], "text,label")
    tweets = load_tweets(path)
    assert {part: len(rows) for part, rows in tweets.items()} == {"train": 225, "validation": 30, "test": 45}
    assert set(Counter(tweets["test"]["labels"]).values()) == {15}
    again = load_tweets(path)
    assert all(again[part]["text"][:] == tweets[part]["text"][:] for part in tweets)
    assert sum(len(part) for part in load_tweets(path, rows=60).values()) == 60


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("fine", 3, "train"), "row 2.*negative, neutral, positive.*'3'"),
        (("fine", "", "train"), "row 2.*''"),
        (("  ", 1, "train"), "row 2: needs a text"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, message):
    with pytest.raises(CommentsError, match=message):
        load_tweets(write_csv(tmp_path / "tweets.csv", [("good", 1, "train"), row]))


def test_a_missing_column_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(CommentsError, match="column label is missing.*text, sentiment"):
        load_tweets(write_csv(tmp_path / "tweets.csv", [("good", 1)], "text,sentiment"))
    with pytest.raises(CommentsError, match="no such file"):
        load_tweets(tmp_path / "none.csv")


def pack(path, files: dict[str, bytes]):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def rated_file(tmp_path):
    """An archive in an archive, as vaderSentiment's source distribution has it."""
    inner = pack(
        tmp_path / "inner.tar.gz",
        {
            "hutto/films_GroundTruth.txt": b"1\t2.5\tno tweet\r\n",
            "hutto/tweets_GroundTruth.txt": (
                "1\t2.5\tsplendid\r\n2\t-0.79\tso so\r\n3\t-0.8\tquite poor\r\n"
                "4\t0.8\tcaf\u00e9, nicely done\r\n5\t0\tHELD back 1\r\n"
            ).encode(),
            "hutto/tweets_anonDataRatings.txt": b"1\t[2, 3]\r\n",
        },
    )
    content = inner.read_bytes()
    return pack(tmp_path / "vader.tar.gz", {"vader/additional_resources/hutto_ICWSM_2014.tar.gz": content})


def test_ratings_become_three_labels_and_held_out_tweets_are_left_out(rated_file, tweets_file):
    rated = load_rated_tweets(rated_file, held_out=load_tweets(tweets_file))
    assert dict(zip(rated["text"], rated["labels"])) == {
        "café, nicely done": 2,
        "splendid": 2,
        "so so": 1,
        "quite poor": 0,
    }


def test_another_file_is_refused_with_the_way_to_get_the_right_one(tmp_path, tweets_file):
    other = pack(tmp_path / "other.tar.gz", {"README": b"hello"})
    for path in (other, tmp_path / "none.tar.gz", tweets_file):
        with pytest.raises(CommentsError, match="pip download"):
            load_rated_tweets(path, held_out=load_tweets(tweets_file))
