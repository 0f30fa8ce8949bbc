"""The live demo within the site: the shipped models, in the frame of its page."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from browser import watched_page
from exported_models import FIFTY_TEXTS
from site_build import SCREENSHOTS

from milestone2.classifier import load_classifier
from milestone2.onnx_classifier import OnnxClassifier
from milestone2.shipped import SHIPPED
from milestone3.reading import LABELS

pytestmark = pytest.mark.browser
INSULT = "You are an idiot and nobody wants you here."


@pytest.fixture
def page(browser, address):
    with watched_page(browser, viewport={"width": 1280, "height": 900}) as opened:
        opened.goto(f"{address}demo/", wait_until="networkidle")
        yield opened


def analyze(frame, text: str) -> str:
    frame.locator("#text").fill(text)
    frame.locator("#analyze").click()
    frame.locator("#summary:not(:empty)").wait_for()
    frame.locator("#words[aria-busy=false]").wait_for()
    return frame.locator("#summary").text_content()


def test_a_comment_gets_six_bars_and_its_words_and_the_switches_work(page):
    frame = page.frame_locator(".course-demo")
    assert "MB" in frame.locator("#download").text_content()
    assert not [url for url in page.requests if url.endswith((".onnx", ".wasm"))]
    analyze(frame, INSULT)
    assert frame.locator("#bars .name").count() == len(LABELS) == 6
    assert frame.locator("#words-text .word").count() >= 1
    frame.locator("#options summary").click()
    frame.locator("[value=own]").check()
    frame.locator("#own").fill("0.05")
    few = frame.locator("#bars .given").count()
    frame.locator("#own").fill("0.95")
    assert frame.locator("#bars .given").count() < few
    before = frame.locator("#bars .number").all_text_contents()
    frame.locator("[value=float32]").check()
    frame.locator("#analyze[aria-disabled=false]").wait_for()
    after = frame.locator("#bars .number").all_text_contents()
    np.testing.assert_allclose(np.array(before, float), np.array(after, float), atol=0.05)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "demo_used.png", full_page=True)


def test_the_frame_is_as_high_as_what_it_shows(page):
    frame = page.frame_locator(".course-demo")
    analyze(frame, INSULT)
    inside = frame.locator("html").evaluate("root => root.scrollHeight - root.clientHeight")
    assert inside <= 1


def test_both_shipped_models_are_offered(page):
    frame = page.frame_locator(".course-demo")
    frame.locator("[value=sentiment]").check()
    assert frame.locator("#examples button").count() >= 3
    assert analyze(frame, "What a lovely day!").startswith("The model says ")


@pytest.mark.parametrize("name", SHIPPED)
def test_scores_are_those_of_python_on_fifty_texts(page, site, name):
    """Rounded weights move a softmax that wavers between two labels further than six sigmoids."""
    page.frame_locator(".course-demo").locator(f"[value={name}]").check()
    frame = next(frame for frame in page.frames if frame.url.endswith("demo/app/"))
    # As JSON, because half of a surrogate pair does not pass the browser's protocol.
    scores = np.array(frame.evaluate("texts => course.score(JSON.parse(texts))", json.dumps(FIFTY_TEXTS)))
    exported = OnnxClassifier(site / "demo" / "app" / "models" / name)
    assert np.abs(scores - exported.score(FIFTY_TEXTS)).max() < 1e-4
    assert np.abs(scores - load_classifier(name).score(FIFTY_TEXTS)).max() < {"toxicity": 0.01, "sentiment": 0.02}[name]


def test_it_says_how_long_it_took(page):
    """No limit: a busy computer would break it. `pytest -s` shows both times."""
    frame = page.frame_locator(".course-demo")
    frame.locator("#text").fill(INSULT)
    before = page.evaluate("performance.now()")
    frame.locator("#analyze").click()
    frame.locator("#summary:not(:empty)").wait_for()
    first = page.evaluate("performance.now()") - before
    facts = frame.locator("#facts").text_content()
    print(f"first result after {first:.0f} ms, with the download; then: {facts}")
    assert re.match(r"Scored in \d+ ms on this device\.", facts)
