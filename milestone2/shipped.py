"""The models that ship with the course, as ordinary checkpoint folders.

The course carries a LoRA adapter of a few MB for each; the base, MiniLM, comes with an installed package. The first use
merges the two into a folder in the user's cache; later uses find it there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

import platformdirs
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from milestone2.base import MINILM_SHA256, minilm_folder

SHIPPED = ("sentiment", "toxicity")
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors", "config.json")
CHECKPOINT_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
# Changed when the way of merging changes, so that folders of the old way are not used any more.
MERGE_VERSION = "1"
ABANDONED_AFTER_SECONDS = 3600


def cache_folder() -> Path:
    """Where merged models are kept: COURSE_CACHE, or the system's own place for a program's caches."""
    chosen = os.environ.get("COURSE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_cache_path("toxic-comments-course", appauthor=False)


def adapter_folder(name: str) -> Path:
    """Folder of a shipped adapter: peft's two files, and a `config.json` with labels, problem type and thresholds."""
    return Path(__file__).parent / "models" / name


def checkpoint_folder(name: str, adapter: Path | None = None) -> Path:
    """The checkpoint folder of a shipped model, made at its first use.

    Any number of processes may ask at once, and any of them may be killed: each builds a folder of its own beside the
    final one and renames it, so that the final one is whole or not there.

    Parameters
    ----------
    name : str
        "sentiment" or "toxicity".
    adapter : Path, optional
        Another adapter on MiniLM than the one that ships under this name.

    Returns
    -------
    Path
        For `load_classifier`, `pipeline` and any `from_pretrained`.

    Raises
    ------
    FileNotFoundError
        If the adapter or the base is not installed.
    OSError
        If the cache cannot be written to, or the disk is full.
    """
    adapter = adapter or adapter_folder(name)
    missing = [file for file in ADAPTER_FILES if not (adapter / file).is_file()]
    if missing:
        raise FileNotFoundError(f"The model {name!r} lacks {', '.join(missing)} in {adapter}. Reinstall the course.")
    folder = cache_folder() / f"{name}-{_key(adapter)}"
    if not is_whole(folder):
        _build(adapter, folder)
    return folder


def is_whole(folder: Path) -> bool:
    return all((folder / file).is_file() for file in CHECKPOINT_FILES)


def _key(adapter: Path) -> str:
    """Twelve hexadecimal digits that change with the adapter, the base and the way of merging."""
    digest = hashlib.sha256(f"{MERGE_VERSION} {MINILM_SHA256}".encode())
    for file in ADAPTER_FILES:
        digest.update(hashlib.sha256((adapter / file).read_bytes()).digest())
    return digest.hexdigest()[:12]


def _build(adapter: Path, folder: Path) -> None:
    """Merge into a draft beside `folder`, then put it in place in one step."""
    draft = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned_drafts(folder.parent)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
        _merge(adapter, draft)
        _put_in_place(draft, folder)
    except (OSError, SafetensorError) as error:
        raise _explain(error, folder.parent) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _merge(adapter: Path, draft: Path) -> None:
    from peft import PeftModel  # takes seconds, and is needed for the first use alone

    base = minilm_folder()
    model = AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(adapter))
    # Not from_pretrained: it would warn of a new, untrained head, and the adapter brings a trained one.
    found = model.base_model.load_state_dict(load_file(base / "model.safetensors"), strict=False)
    if found.missing_keys:
        raise OSError(f"{base} lacks the weights {found.missing_keys}")
    model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    model.save_pretrained(draft)
    AutoTokenizer.from_pretrained(base).save_pretrained(draft)


def _put_in_place(draft: Path, folder: Path) -> None:
    """Rename, unless another process was quicker; a damaged folder in the way is removed first."""
    if folder.exists() and not is_whole(folder):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        os.replace(draft, folder)
    except OSError:
        if not is_whole(folder):
            raise


def _remove_abandoned_drafts(parent: Path) -> None:
    """Drafts of killed processes would fill the disk, 91 MB each."""
    for draft in parent.glob(".draft-*"):
        try:
            abandoned = time.time() - draft.stat().st_mtime > ABANDONED_AFTER_SECONDS
        except FileNotFoundError:
            continue  # another process has just finished with it
        if abandoned:
            shutil.rmtree(draft, ignore_errors=True)


def _explain(error: Exception, parent: Path) -> OSError:
    """A full disk or a forbidden folder in one sentence. safetensors has the system's error number in its text only."""
    number = getattr(error, "errno", None) or int((re.search(r"os error (\d+)", str(error)) or [0, 0])[1])
    if not number:
        return error if isinstance(error, OSError) else OSError(str(error))
    return OSError(
        f"{parent}: the merged model (91 MB) cannot be written ({os.strerror(number)}). Free some space, or set "
        "COURSE_CACHE to a folder on another disk."
    )
