"""The app as a Streamlit page: `streamlit run milestone2/space/app.py`.

COURSE_MODEL, if set, is the model that is chosen at first: a name of the catalogue, or a Hub id.
"""

from __future__ import annotations

import os

import streamlit as st

from milestone2.analysis import (
    MAX_CHARACTERS,
    MODELS_KEPT,
    analysis_html,
    analyze,
    analyze_many,
    check_text,
    entry_html,
    error_sentence,
    examples_html,
    option_title,
)
from milestone2.catalogue import Entry, catalogue, why_unavailable
from milestone2.classifier import Classifier, load_classifier
from milestone2.examples import EXAMPLES

LOOK_AGAIN_AFTER_SECONDS = 60


@st.cache_resource(max_entries=MODELS_KEPT, show_spinner="Loading the model ...")
def kept_classifier(name: str) -> Classifier:
    """Load a model once for all visitors."""
    return load_classifier(name)


@st.cache_data(ttl=LOOK_AGAIN_AFTER_SECONDS, show_spinner=False)
def offered() -> tuple[list[Entry], dict[str, str]]:
    """The catalogue, and why some of it cannot be used now."""
    entries = catalogue(also=os.environ.get("COURSE_MODEL"))
    return entries, why_unavailable(entries)


@st.cache_data(max_entries=MODELS_KEPT, show_spinner=False)
def scored_examples(name: str) -> str:
    return examples_html(EXAMPLES, analyze_many(kept_classifier(name), EXAMPLES))


def choose_model(entries: list[Entry], reasons: dict[str, str]) -> Entry:
    """The list of models; COURSE_MODEL, or else the first one that can be used, is chosen at first."""
    named = {entry.name: entry for entry in entries}
    usable = [name for name in named if name not in reasons] or list(named)
    wanted = os.environ.get("COURSE_MODEL", "toxicity")
    first = list(named).index(wanted if wanted in usable else usable[0])
    titles = {name: option_title(entry, reasons) for name, entry in named.items()}
    name = st.selectbox("Model", list(named), first, format_func=lambda name: titles[name], key="model")
    st.html(entry_html(named[name], reasons.get(name)))
    return named[name]


def show_answer(entry: Entry, text: str) -> None:
    """The result of a click, or in one sentence why there is none."""
    try:
        check_text(text)
        with st.spinner(f"Analyzing with {entry.title} ..."):
            st.html(analysis_html(analyze(kept_classifier(entry.name), text)))
            st.html(scored_examples(entry.name))
    except Exception as error:  # a page has no traceback to show
        # st.error reads Markdown, and a file's name must not become a link.
        st.error(error_sentence(error).replace("[", r"\["), icon="⚠️")


def main() -> None:
    st.set_page_config(page_title="What does the model say?", page_icon="💬")
    st.title("What does the model say?")
    st.write("Write a text, choose a model, and see its labels with their scores. A score is a guess, not a verdict.")
    entries, reasons = offered()
    entry = choose_model(entries, reasons)
    with st.form("analyze", border=False):
        text = st.text_area("Text", max_chars=MAX_CHARACTERS, key="text")
        clicked = st.form_submit_button("Analyze", type="primary", disabled=entry.name in reasons)
    if clicked:
        show_answer(entry, text)
    else:
        st.html(examples_html(EXAMPLES))


main()
