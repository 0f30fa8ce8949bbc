"""The page that runs a model in the browser, in a real Chromium, from a subfolder of a plain static server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, served, watched_page
from exported_models import FIFTY_TEXTS, THRESHOLDS, make_minilm_checkpoint
from playwright.sync_api import expect
from tiny_models import SIX_LABELS, make_checkpoint

from milestone2.classifier import load_classifier
from milestone2.export import export
from milestone2.onnx_classifier import OnnxClassifier
from milestone2.space.page import build_page, install_packages

INSULT = "You are an idiot and nobody wants you here."
INJECTION = "<img src=x onerror=\"document.title='run'\"> <script>document.title='run'</script>"


pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    return {
        "toxicity": make_minilm_checkpoint(folder / "toxicity"),
        "sentiment": make_checkpoint(folder / "sentiment", ("negative", "neutral", "positive"), multi_label=False),
    }


@pytest.fixture(scope="module")
def exports(checkpoints, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exports")
    return {
        name: export(checkpoint, folder / name, full_precision=name == "sentiment")
        for name, checkpoint in checkpoints.items()
    }


@pytest.fixture(scope="module")
def site(exports, tmp_path_factory) -> Path:
    """A server's folder, with the page in a subfolder of it."""
    root = tmp_path_factory.mktemp("site")
    build_page(root / "course" / "demo", exports)
    return root


@pytest.fixture(scope="module")
def address(site):
    with served(site) as root:
        yield f"{root}course/demo/"


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser, address):
    with watched_page(browser) as opened:
        open_page(opened, address)
        yield opened


def open_page(page, address: str) -> None:
    page.goto(address)
    page.locator("#examples button").first.wait_for()


def analyze(page, text: str) -> str:
    """Score a text with the button, and wait for the words too; returns the sentence with the result."""
    page.fill("#text", text)
    page.click("#analyze")
    wait_for_result(page)
    return page.text_content("#summary")


def wait_for_result(page) -> None:
    page.locator("#summary:not(:empty)").wait_for()
    page.locator("#words[aria-busy=false]").wait_for()


def shown_scores(page) -> list[float]:
    return [float(number) for number in page.locator("#bars .number").all_text_contents()]


def no_sideways_scroll(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_scores_and_tokens_are_those_of_python_on_fifty_texts(page, checkpoints, exports):
    classifier = load_classifier(checkpoints["toxicity"])
    assert len(FIFTY_TEXTS) == 50 and classifier.truncated(FIFTY_TEXTS).sum() >= 3
    # As JSON, because half of a surrogate pair does not pass the browser's protocol.
    texts = json.dumps(FIFTY_TEXTS)
    scores = np.array(page.evaluate("texts => course.score(JSON.parse(texts))", texts))
    tokens = page.evaluate("texts => course.tokens(JSON.parse(texts))", texts)
    readable = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in FIFTY_TEXTS]
    assert tokens == classifier.tokenizer(readable, truncation=True, max_length=128)["input_ids"]
    assert np.abs(scores - OnnxClassifier(exports["toxicity"]).score(FIFTY_TEXTS)).max() < 1e-4
    assert np.abs(scores - classifier.score(FIFTY_TEXTS)).max() < 0.01
    assert tuple(page.evaluate("course.labels()")) == SIX_LABELS


def test_says_how_large_the_download_is_and_waits_for_the_click(page, site):
    folder = site / "course" / "demo"
    paths = ("models/toxicity/onnx/model_quantized.onnx", "models/toxicity/tokenizer.json")
    more = ("models/toxicity/tokenizer_config.json", "vendor/ort-wasm-simd-threaded.wasm")
    total = sum((folder / path).stat().st_size for path in (*paths, *more))
    assert f"{total / 1e6:.1f} MB" in page.text_content("#download")
    assert not [url for url in page.requests if url.endswith((".onnx", ".wasm"))]
    analyze(page, INSULT)
    assert {path for path in (*paths, *more) for url in page.requests if url.endswith(path)} == {*paths, *more}
    assert "nothing more" in page.text_content("#download")
    fetched = len(page.requests)
    analyze(page, "Thank you!")
    assert len(page.requests) == fetched


def test_a_bar_for_every_label_with_score_and_threshold(page, exports):
    sentence = analyze(page, INSULT)
    scores = OnnxClassifier(exports["toxicity"]).score([INSULT])[0]
    np.testing.assert_allclose(shown_scores(page), scores, atol=0.006)
    names = [label.replace("_", " ") for label in SIX_LABELS]
    assert page.locator("#bars .name").all_text_contents() == names
    given = [name for name, label, score in zip(names, SIX_LABELS, scores) if score >= THRESHOLDS[label]]
    assert given and all(name in sentence for name in given)
    assert page.locator("#bars .given .name").all_text_contents() == given
    marks = page.locator("#bars .mark").evaluate_all("all => all.map(mark => parseFloat(mark.style.left) / 100)")
    np.testing.assert_allclose(marks, list(THRESHOLDS.values()))


def test_thresholds_can_be_switched(page, exports):
    analyze(page, INSULT)
    scores = OnnxClassifier(exports["toxicity"]).score([INSULT])[0]
    page.click("#options summary")
    page.check("[value=half]")
    assert page.locator("#bars .given").count() == (scores >= 0.5).sum()
    page.locator("#own").fill("0.05")
    expect(page.locator("[value=own]")).to_be_checked()
    assert page.text_content("#own-value") == "0.05"
    assert page.locator("#bars .given").count() == (scores >= 0.05).sum()


def test_words_push_the_score_by_what_leaving_them_out_changes(page, exports):
    analyze(page, INSULT)
    page.select_option("#label", label="insult")
    words = INSULT.split(" ")
    texts = [INSULT, *(" ".join(words[:n] + [""] + words[n + 1 :]) for n in range(len(words)))]
    scores = OnnxClassifier(exports["toxicity"]).score(texts)[:, SIX_LABELS.index("insult")]
    changes = scores[0] - scores[1:]
    strongest = int(np.abs(changes).argmax())
    first = page.locator("#words-list li").first
    assert first.locator("span").first.text_content() == words[strongest]
    sign = "−" if changes[strongest] < 0 else "+"
    assert first.locator(".number").text_content()[0] == sign
    assert abs(float(first.locator(".number").text_content()[1:]) / 100 - abs(changes[strongest])) < 0.011
    drawn = page.locator("#words-text .word").evaluate_all("all => all.map(word => word.firstChild.data)")
    assert drawn == [word for word, change in zip(words, changes) if abs(change) >= 0.005]
    line = page.locator("#words-text .word").first.evaluate("word => getComputedStyle(word).textDecorationLine")
    assert line == "underline"  # colour is not the only sign


def test_typed_html_is_shown_and_never_run(page):
    analyze(page, INJECTION)
    assert INJECTION.split(" ")[0] in page.text_content("#words-text").replace("+", "")
    assert page.locator("main img, #words script").count() == 0
    assert page.title() != "run"


def test_a_long_text_says_that_only_its_beginning_was_read(page):
    analyze(page, "It goes on and on. " * 40)
    assert "the model read the first 128" in page.text_content("#facts")
    assert "left out 3 at a time" in page.text_content("#words-progress")
    analyze(page, "Short.")
    assert "the model read" not in page.text_content("#facts")


def test_works_by_keyboard_alone_and_announces_its_result(page):
    page.keyboard.press("Tab")
    for _ in range(3):
        if page.evaluate("document.activeElement.id") == "text":
            break
        page.keyboard.press("Tab")
    page.keyboard.type(INSULT)
    assert page.text_content("#count") == f"{len(INSULT)} of 5,000 characters"
    page.keyboard.press("Control+Enter")
    wait_for_result(page)
    assert page.evaluate("document.activeElement.id") == "text"  # the focus stays where the visitor is
    assert page.get_attribute("#summary", "aria-live") == "polite"
    while page.evaluate("document.activeElement.id") != "analyze":
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
    page.keyboard.press("Enter")
    wait_for_result(page)


def test_an_example_is_masked_until_it_is_chosen(page):
    button = page.get_by_role("button", name="You are an i***t and nobody wants you here.")
    button.click()
    assert page.input_value("#text") == INSULT
    assert "idiot" not in page.locator("#examples").text_content()


def test_nothing_to_analyze_and_too_much_are_said_in_words(page):
    page.fill("#text", "   ")
    page.click("#analyze")
    assert "nothing to analyze" in page.get_by_role("alert").text_content()
    page.locator("#text").fill("x" * 4999)
    page.locator("#text").press_sequentially("yyy")
    assert "5,000 of 5,000 characters: that is the most" in page.text_content("#count")


def test_the_other_model_gives_one_label_and_the_switch_to_float32_gives_pytorchs_scores(page, checkpoints, exports):
    page.check("[value=sentiment]")
    sentence = analyze(page, INSULT)
    small = OnnxClassifier(exports["sentiment"]).score([INSULT])[0]
    np.testing.assert_allclose(shown_scores(page), small, atol=0.006)
    assert exports["sentiment"].name and small.argmax() == shown_scores(page).index(max(shown_scores(page)))
    assert ("negative", "neutral", "positive")[small.argmax()] in sentence
    expect(page.locator("#thresholds")).to_be_hidden()
    page.click("#options summary")
    page.check("[value=float32]")
    page.locator("#analyze[aria-disabled=false]").wait_for()
    exact = page.evaluate("text => course.score([text])", INSULT)[0]
    np.testing.assert_allclose(exact, load_classifier(checkpoints["sentiment"]).score([INSULT])[0], atol=1e-4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_problem(browser, address, scheme, axe):
    with watched_page(browser, color_scheme=scheme) as page:
        open_page(page, address)
        analyze(page, INSULT)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(each["id"], each["help"]) for each in found if each["impact"] in ("serious", "critical")] == []
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(int(part) for part in paper[4:-1].split(",")) > 384) == (scheme == "light")


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    packages = install_packages(tmp_path_factory.mktemp("axe"))
    return (packages / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def test_fits_a_phone_without_sideways_scroll(browser, address):
    with watched_page(browser, viewport={"width": 360, "height": 740}, has_touch=True) as page:
        open_page(page, address)
        assert no_sideways_scroll(page)
        analyze(page, f"{INSULT} {'w' * 200}")
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert no_sideways_scroll(page)


def test_motion_is_left_out_for_who_wants_none(browser, address):
    with watched_page(browser, reduced_motion="reduce") as page:
        open_page(page, address)
        analyze(page, INSULT)
        duration = page.locator("#bars .fill").first.evaluate("fill => getComputedStyle(fill).transitionDuration")
        assert duration == "0s"


def test_a_browser_without_webassembly_gets_a_sentence(browser, address):
    with chromium("--js-flags=--jitless", beside=browser) as without, watched_page(without) as page:
        page.goto(address)
        alert = page.get_by_role("alert")
        alert.wait_for()
        assert "WebAssembly" in alert.text_content()
        expect(page.locator("#form")).to_be_hidden()


def test_a_page_opened_as_a_file_says_how_to_serve_it(browser, site):
    with watched_page(browser) as page:
        page.goto((site / "course" / "demo" / "index.html").as_uri())
        expect(page.locator("#not-started")).to_be_visible()
        assert "http.server" in page.text_content("#not-started")
        assert not [trouble for trouble in page.troubles if trouble.startswith(("other host", "exception"))]
        page.troubles.clear()  # the browser's own complaints about modules in files


def test_a_download_that_fails_is_said_in_words_and_can_be_tried_again(browser, site, tmp_path):
    broken = shutil.copytree(site, tmp_path / "site")
    weights = broken / "course" / "demo" / "models" / "toxicity" / "onnx" / "model_quantized.onnx"
    away = weights.rename(weights.with_suffix(".away"))
    with served(broken) as root, watched_page(browser) as page:
        open_page(page, f"{root}course/demo/")
        page.fill("#text", INSULT)
        page.click("#analyze")
        page.locator("#problem:visible").wait_for()
        assert "could not be downloaded (the server says 404)" in page.text_content("#problem")
        page.troubles.clear()
        away.rename(weights)
        page.click("#analyze")
        wait_for_result(page)
        expect(page.locator("#problem")).to_be_hidden()
