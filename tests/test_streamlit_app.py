"""The Streamlit app: by Streamlit's own test client, and in a real browser against the running server."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from app_server import free_port, running_server
from browser import chromium, watched_page
from tiny_models import finish_run, make_checkpoint

testing = pytest.importorskip("streamlit.testing.v1")

APP = Path(__file__).parent.parent / "milestone2" / "space" / "app.py"
ATTACK = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def models_folder(tmp_path_factory):
    """Two finished runs: six labels a text, and one of three."""
    folder = tmp_path_factory.mktemp("models")
    finish_run(make_checkpoint(folder / "many"))
    finish_run(make_checkpoint(folder / "one", ("negative", "neutral", "positive"), multi_label=False))
    return folder


@pytest.fixture
def environment(models_folder):
    return {"COURSE_MODELS": str(models_folder), "COURSE_MODEL": str((models_folder / "many").resolve())}


@pytest.fixture
def app(environment, monkeypatch):
    import streamlit

    streamlit.cache_data.clear()
    streamlit.cache_resource.clear()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return testing.AppTest.from_file(str(APP), default_timeout=300).run()


def shown(app) -> str:
    """All HTML on the page."""
    return " ".join(element.proto.body for element in app.get("html"))


def analyze(app, text: str):
    app.text_area(key="text").set_value(text)
    return app.button[0].click().run()


def test_the_page_opens_without_loading_a_model(app):
    assert not app.exception and app.title[0].value
    assert app.selectbox(key="model").value.endswith("many"), "COURSE_MODEL is chosen at first"
    assert "course-result" not in shown(app) and shown(app).count("<tr>") == 11


def test_a_click_shows_the_two_highest_labels_a_bar_for_every_one_and_the_examples(app):
    app = analyze(app, "What a nice day")
    assert not app.exception and not app.error
    assert "The two highest:" in shown(app) and shown(app).count('<th scope="row"') == 6
    assert shown(app).count("<td") == 2 * 6 + 50


def test_another_model_can_be_chosen(app):
    one = next(name for name in app.selectbox(key="model").options if name.startswith("one"))
    app = analyze(app.selectbox(key="model").select(one).run(), "What a nice day")
    assert re.search(r"<strong>(negative|neutral|positive) \d+\.\d%\.</strong>", shown(app))


def test_the_same_labels_and_scores_as_the_widget(app, environment):
    from milestone2.analysis import analysis_html, kept_classifier
    from milestone2.analysis import analyze as analyzed

    app = analyze(app, "What a nice day")
    assert analysis_html(analyzed(kept_classifier(environment["COURSE_MODEL"]), "What a nice day")) in shown(app)


def test_typed_html_is_escaped(app):
    app = analyze(app, ATTACK)
    assert "&lt;img src=x" in shown(app) and "<img" not in shown(app)


def test_no_text_and_a_model_that_is_gone_are_said(app, models_folder, tmp_path):
    assert "Write a text first" in analyze(app, "  ").error[0].value
    gone = (models_folder / "one").rename(tmp_path / "moved")
    try:
        one = next(name for name in app.selectbox(key="model").options if name.startswith("one"))
        app = analyze(app.selectbox(key="model").select(one).run(), "What a nice day")
        assert not app.exception and "no model and no folder" in app.error[0].value
    finally:
        gone.rename(models_folder / "one")


def test_a_model_that_cannot_be_used_is_grey_with_its_reason_and_no_button(app):
    title = next(name for name in app.selectbox(key="model").options if "DistilBERT" in name)
    assert title.endswith("not available")
    app.selectbox(key="model").select(title).run()
    assert "Not available:" in shown(app) and app.button[0].disabled


def test_the_model_is_loaded_once_and_not_at_each_click(app, monkeypatch):
    analyze(app, "one")
    loads = []
    monkeypatch.setattr("milestone2.classifier.load_classifier", lambda name: loads.append(name))
    app = analyze(app, "two")
    assert not loads and "The two highest" in shown(app)


@pytest.mark.slow
@pytest.mark.browser
def test_in_a_browser_by_keyboard_alone_and_typed_html_never_runs(environment, tmp_path, offline_environment):
    port = free_port()
    options = {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
    }
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(APP),
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    address = f"http://127.0.0.1:{port}"
    with running_server(command, f"{address}/_stcore/health", offline_environment(**environment), tmp_path):
        with chromium() as browser, watched_page(browser) as page:
            page.goto(address)
            page.get_by_role("textbox", name="Text").focus()
            page.keyboard.type(ATTACK)
            page.keyboard.press("Control+Enter")
            page.get_by_text("The two highest").wait_for()
            assert page.locator(".course-result blockquote").inner_text() == ATTACK
            assert page.locator("img[src=x]").count() == 0
            assert page.title() != "owned"
            assert page.locator(".course-result tr").count() == 6
            assert not page.locator("[data-testid=stException]").count()
