"""Loading comments: the split, the labels' rates, and what is said about files that cannot be used."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from datasets import DatasetDict
from slurs import contains_slur

from milestone3.comments import LABELS, load_comments, load_extra_comments, read_source
from milestone3.jigsaw import POSITIVES, ROWS, require_known_content
from milestone3.reading import COLUMNS, CommentsError, read_kaggle_csv
from milestone3.splitting import near_duplicate_key


def _counts(part) -> np.ndarray:
    return np.array(part["labels"][:]).sum(axis=0)


def _require_separate_parts(comments: DatasetDict) -> None:
    keys = {name: {near_duplicate_key(text) for text in part["text"][:]} for name, part in comments.items()}
    assert not (keys["train"] & keys["validation"] or keys["train"] & keys["test"] or keys["validation"] & keys["test"])


def _require_kept_rates(comments: DatasetDict) -> None:
    """Each part has, of each label, the positives that its size calls for: within 3, or a tenth."""
    everything = sum(_counts(part) for part in comments.values())
    rows = sum(len(part) for part in comments.values())
    for name, part in comments.items():
        expected = everything * len(part) / rows
        found = _counts(part)
        assert (np.abs(found - expected) <= np.maximum(3, 0.1 * expected)).all(), (name, expected, found)


# --- The practice comments ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def practice() -> DatasetDict:
    return load_comments("practice")


def test_practice_comments_are_enough_to_learn_from():
    frame = read_source("practice")
    assert len(frame) >= 1500
    assert frame["threat"].sum() >= 40
    assert (frame[list(LABELS)].sum() >= 40).all()
    assert frame["toxic"].mean() < 0.35


def test_practice_comments_hold_no_near_duplicates_and_no_repeated_id():
    frame = read_source("practice")
    keys = frame["comment_text"].map(near_duplicate_key)
    assert frame["comment_text"][keys.duplicated(keep=False)].tolist() == []
    assert frame["id"].is_unique


def test_practice_comments_with_a_grave_label_are_toxic_too_as_in_jigsaw():
    frame = read_source("practice")
    for label in ("severe_toxic", "threat", "insult", "identity_hate"):
        assert frame["comment_text"][(frame[label] == 1) & (frame["toxic"] == 0)].tolist() == []


def test_practice_comments_hold_no_slur():
    frame = read_source("practice")
    assert frame["id"][frame["comment_text"].map(contains_slur)].tolist() == []


def test_the_list_of_slurs_finds_disguised_words_and_leaves_others_alone():
    found = "".join(chr(ord(sign) - 1) for sign in "sfubse")  # kept from plain sight here as well
    assert all(contains_slur(f"you {word}!") for word in (found, found.upper(), found + "s", found.replace("e", "3")))
    assert not any(map(contains_slur, ("You tard", "A flagon of wine", "Scunthorpe", "I am retiring")))


def test_three_parts_with_three_columns(practice):
    assert list(practice) == ["train", "validation", "test"]
    rows = sum(map(len, practice.values()))
    for name, share in (("train", 0.75), ("validation", 0.10), ("test", 0.15)):
        assert len(practice[name]) == pytest.approx(share * rows, abs=3)
        assert practice[name].column_names == ["id", "text", "labels"]
        feature = practice[name].features["labels"]
        assert (feature.length, feature.feature.dtype) == (6, "float32")


def test_every_row_is_there_once_with_its_own_text_and_labels(practice):
    frame = read_source("practice").set_index("id")
    rows = [row for part in practice.values() for row in part]
    assert sorted(row["id"] for row in rows) == sorted(frame.index)
    for row in rows[::50]:
        assert row["text"] == frame.loc[row["id"], "comment_text"]
        assert row["labels"] == frame.loc[row["id"], list(LABELS)].tolist()


def test_practice_parts_are_separate_and_keep_the_labels_rates(practice):
    _require_separate_parts(practice)
    _require_kept_rates(practice)
    assert (_counts(practice["validation"]) > 0).all() and (_counts(practice["test"]) > 0).all()


def test_the_same_seed_gives_the_same_parts_and_another_seed_others(practice):
    again, other = load_comments("practice"), load_comments("practice", seed=19)
    for name in practice:
        assert again[name].to_dict() == practice[name].to_dict()
        assert set(other[name]["id"][:]) != set(practice[name]["id"][:])


@pytest.mark.parametrize("rows", [60, 500])
def test_fewer_rows_keep_the_rates_and_the_seed(practice, rows):
    few = load_comments("practice", rows=rows)
    assert sum(map(len, few.values())) == pytest.approx(rows, abs=2)
    expected = sum(_counts(part) for part in practice.values()) * rows / sum(map(len, practice.values()))
    kept = sum(_counts(part) for part in few.values())
    assert (np.abs(kept - expected) <= np.maximum(2, 0.15 * expected)).all()
    assert load_comments("practice", rows=rows)["train"]["id"][:] == few["train"]["id"][:]
    assert load_comments("practice", rows=rows, seed=1)["train"]["id"][:] != few["train"]["id"][:]


@pytest.mark.parametrize("rows", [0, -5, 19])
def test_too_few_rows_to_split_are_refused(rows):
    with pytest.raises(CommentsError, match="cannot be split in three; take at least 20"):
        load_comments("practice", rows=rows)


# --- Files ----------------------------------------------------------------------------------------------------------


def _with_near_duplicates(frame: pd.DataFrame, share: float) -> pd.DataFrame:
    copies = frame.sample(frac=share, random_state=0)
    shouted = copies["comment_text"].str.upper().str.replace(" ", " ... ")
    copies = copies.assign(comment_text=shouted, id=copies["id"] + "c")
    return pd.concat([frame, copies]).sample(frac=1, random_state=1)


def test_a_large_file_with_rare_threats_is_split_well(tmp_path, made_up_comments):
    frame = _with_near_duplicates(made_up_comments(19_000), share=0.05)
    assert 0.002 < frame["threat"].mean() < 0.004
    frame.to_csv(tmp_path / "train.csv", index=False)
    comments = load_comments(tmp_path / "train.csv")
    assert sum(map(len, comments.values())) == len(frame)
    _require_separate_parts(comments)
    _require_kept_rates(comments)


def test_plain_gzipped_and_zipped_files_give_the_same_comments(tmp_path, made_up_comments):
    text = made_up_comments(60).to_csv(index=False)
    (tmp_path / "train.csv").write_text(text, encoding="utf-8")
    with gzip.open(tmp_path / "train.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write(text)
    with zipfile.ZipFile(tmp_path / "train.csv.zip", "w") as archive:
        archive.writestr("train.csv", text)
    plain, gzipped, zipped = (load_comments(tmp_path / f"train.csv{ending}") for ending in ("", ".gz", ".zip"))
    for name in plain:
        assert gzipped[name].to_dict() == zipped[name].to_dict() == plain[name].to_dict()


def test_train_csv_is_found_in_kaggles_whole_archive(tmp_path, made_up_comments):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("data/train.csv", made_up_comments(40).to_csv(index=False))
        archive.writestr("data/test.csv", "id,comment_text\n1,hello\n")
        archive.writestr("__MACOSX/train.csv", "rubbish")
    assert sum(map(len, load_comments(tmp_path / "all.zip").values())) == 40


def test_texts_survive_as_they_are(tmp_path, made_up_comments):
    texts = ["NA", "null", "None", "nan", '"quoted", with comma', "two\nlines", "  spaces  ", "émoji 🙂", "1.0", "-"]
    frame = made_up_comments(len(texts)).assign(comment_text=texts)
    frame.to_csv(tmp_path / "train.csv", index=False, encoding="utf-8-sig")
    assert read_kaggle_csv(tmp_path / "train.csv")["comment_text"].tolist() == texts


def test_rows_kaggle_never_labelled_are_dropped_and_counted_aloud(tmp_path, made_up_comments, capsys):
    frame = made_up_comments(30)
    frame.loc[[3, 4, 29], list(LABELS)] = -1
    frame.to_csv(tmp_path / "test.csv", index=False)
    kept = read_kaggle_csv(tmp_path / "test.csv")
    assert kept["id"].tolist() == frame["id"].drop([3, 4, 29]).tolist()
    assert capsys.readouterr().out == "test.csv: dropped 3 rows that Kaggle marks as not labelled (-1).\n"


def test_extra_comments_leave_out_what_is_held_out(tmp_path, practice):
    held_out = practice["test"]["text"][0]
    seen = practice["train"]["text"][0]
    frame = read_source("practice")
    frame = frame[frame["comment_text"].isin([held_out, seen])]
    frame = pd.concat([frame, frame.assign(comment_text=frame["comment_text"].str.upper() + "!!")])
    frame[list(LABELS)] = frame[list(LABELS)].astype(int)
    frame.to_csv(tmp_path / "extra.csv", index=False)
    extra = load_extra_comments(tmp_path / "extra.csv", practice)
    assert extra["text"][:] == [seen, seen.upper() + "!!"]
    assert extra.features == practice["train"].features


# --- Files that cannot be used --------------------------------------------------------------------------------------

HEADER = ",".join(COLUMNS)
GOOD = "1,fine,0,0,0,0,0,0"


def _csv(*lines: str) -> bytes:
    return "\n".join((HEADER, *lines, "")).encode()


def _zip(**members: bytes) -> bytes:
    import io

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return stream.getvalue()


LONG = _csv(*[GOOD] * 2000)

BAD = {
    "a missing column": ("a.csv", b"id,comment_text,toxic\n1,hi,0\n", r"column severe_toxic, obscene, .+ is missing"),
    "other columns": ("a.csv", b"text;label\nhi;0\n", r"column id, comment_text, .+ the header has text;label"),
    "a label of 2": ("a.csv", _csv(GOOD, "2,hi,0,0,2,0,0,0"), r"row 2, column obscene: '2' is neither 0 nor 1"),
    "a label in words": ("a.csv", _csv("1,hi,yes,0,0,0,0,0"), r"row 1, column toxic: 'yes' is neither 0 nor 1"),
    "an empty label": ("a.csv", _csv(GOOD, GOOD, "3,hi,0,0,0,,0,0"), r"row 3, column threat: '' is neither"),
    "a label of -1 beside others": ("a.csv", _csv("1,hi,-1,0,0,0,0,0"), r"row 1, column toxic: '-1' is neither"),
    "a bad label below unlabelled rows": (
        "a.csv", _csv("1,hi,-1,-1,-1,-1,-1,-1", "2,hi,0,0,0,0,0,x"), r"row 2, column identity_hate: 'x' is neither",
    ),
    "an empty text": ("a.csv", _csv(GOOD, "2,,0,0,0,0,0,0"), r"row 2, column comment_text: the text is empty\. "),
    "blank texts": ("a.csv", _csv("1,  ,0,0,0,0,0,0", GOOD, "3,,0,0,0,0,0,0"), r"row 1, .+ \(and in 1 more rows\)"),
    "no rows": ("a.csv", _csv(), r"has a header but no labelled rows"),
    "only unlabelled rows": ("a.csv", _csv("1,hi,-1,-1,-1,-1,-1,-1"), r"no labelled rows"),
    "another encoding": ("a.csv", _csv(GOOD) + b"2,caf\xe9,0,0,0,0,0,0\n", r"line 3 is not UTF-8 \(byte 0xe9\)"),
    "UTF-16": ("a.csv", _csv(GOOD).decode().encode("utf-16"), r"line 1 is not UTF-8"),
    "too many cells": ("a.csv", _csv(GOOD, GOOD + ",0,0"), r"not a well-formed CSV file \(.*line 3"),
    "an open quote": ("a.csv", _csv(GOOD, '2,"hi,0,0,0,0,0,0'), r"not a well-formed CSV file"),
    "a cut gzip": ("a.csv.gz", gzip.compress(LONG)[:-20], r"damaged or cut off"),
    "a gzip that is none": ("a.csv.gz", LONG, r"damaged or cut off"),
    "a spoilt gzip": ("a.csv.gz", gzip.compress(LONG)[:40] + b"rubbish" * 20, r"damaged or cut off"),
    "a cut zip": ("a.zip", _zip(train_csv=LONG)[:-30], r"damaged or cut off"),
    "a zip that is none": ("a.zip", LONG, r"damaged or cut off"),
    "a spoilt zip": ("a.zip", _zip(train_csv=LONG).replace(b"fine", b"evil"), r"damaged or cut off"),
    "a zip with two CSVs": ("a.zip", _zip(one_csv=LONG, two_csv=LONG), r"one train\.csv, but holds one\.csv, two\.csv"),
    "a zip without a CSV": ("a.zip", _zip(read_me=b"hi"), r"should hold one train\.csv, but holds read\.me"),
    "an empty zip": ("a.zip", _zip(), r"should hold one train\.csv, but holds nothing"),
    "a login page": ("a.csv", b"\n<!DOCTYPE html>\n<html>Sign in</html>", r"is a web page, not a CSV file"),
    "a login page in a zip's place": ("a.zip", b"<html>Sign in</html>", r"damaged or cut off|is a web page"),
    "an empty file": ("a.csv", b"", r"is empty\. Download"),
    "an empty gzip": ("a.csv.gz", gzip.compress(b""), r"is empty\. Download"),
    "blank lines": ("a.csv", b"\n\n  \n", r"is empty\. Download"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_used_is_refused_by_name_and_nothing_is_written(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CommentsError, match=message) as caught:
        load_comments(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["missing.csv", "folder"])
def test_a_path_that_is_no_file_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(CommentsError, match=f"{name}: there is no such file. Check the path, or use 'practice'"):
        load_comments(tmp_path / name)


# --- Jigsaw ---------------------------------------------------------------------------------------------------------


def test_all_of_jigsaws_rows_load_within_a_gigabyte(tmp_path, made_up_comments, offline_environment):
    """160,000 rows of Jigsaw's mean length, about 400 characters, in a process of its own."""
    path = tmp_path / "train.csv"
    frame = pd.concat([made_up_comments(8_000, words=44)] * 20, ignore_index=True)
    frame["comment_text"] += frame.index.astype(str)  # no two alike
    frame.to_csv(path, index=False)
    assert path.stat().st_size > 60e6
    code = (
        "import json, sys, time\n"
        "from benchmarks.peak_memory import peak_memory\n"
        "from milestone3.comments import load_comments\n"
        "start = time.perf_counter()\n"
        "parts = load_comments(sys.argv[1])\n"
        "seconds = time.perf_counter() - start\n"
        "rows = [len(part) for part in parts.values()]\n"
        "print(json.dumps({'rows': rows, 'seconds': seconds, 'peak': peak_memory()}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, path], env=offline_environment(), capture_output=True, text=True, check=True
    )
    found = json.loads(run.stdout)
    print(f"loaded in {found['seconds']:.1f} s, peak memory {found['peak'] / 1e6:.0f} MB")
    assert found["rows"] == [120_000, 16_000, 24_000]
    assert found["peak"] < 1e9


def _like_jigsaw() -> pd.DataFrame:
    columns = {name: (np.arange(ROWS) < count).astype("float32") for name, count in POSITIVES.items()}
    return pd.DataFrame({"id": "1", "comment_text": "a"} | columns, index=range(ROWS))


def test_a_file_with_jigsaws_rows_and_positives_passes():
    require_known_content(Path("train.csv"), _like_jigsaw())


def test_a_file_with_a_row_less_or_one_label_changed_is_not_jigsaw():
    whole = _like_jigsaw()
    changed = whole.copy()
    changed.loc[ROWS - 1, "threat"] = 1
    for frame in (whole[:-1], changed, read_source("practice")):
        with pytest.raises(CommentsError, match="train.csv: is not Kaggle's train.csv: it has .+ Remove it and"):
            require_known_content(Path("train.csv"), frame)


@pytest.mark.parametrize("how", [{"HF_HUB_OFFLINE": "1"}, {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_without_the_hub_jigsaw_is_one_clear_error(tmp_path, offline_environment, how):
    code = (
        "import sys\nfrom milestone3.comments import CommentsError, load_comments\n"
        "try:\n    load_comments('jigsaw')\nexcept CommentsError as error:\n    sys.exit(f'CommentsError: {error}')"
    )
    environment = offline_environment(HF_HOME=str(tmp_path), **how)
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("CommentsError: The Jigsaw comments could not be downloaded (")
    assert last.endswith("use the practice comments, or download train.csv from Kaggle and give its path.")
