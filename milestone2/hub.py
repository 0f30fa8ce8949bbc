"""Model files from the Hugging Face Hub: safetensors only, at one revision, and one clear sentence if that fails."""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from pathlib import Path

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name

# Nothing in these can run when it is opened, unlike pytorch_model.bin (a pickle) or modelling code (*.py).
DESCRIPTION_FILES = ("*.json", "*.txt", "*.model", "*.codes")
WEIGHT_FILES = ("model.safetensors", "model-*.safetensors", "model.safetensors.index.json")
# The Hub's own service offers the safetensors of a pickle in a pull request.
CONVERTER = "SFconvertbot"
PROBE_SECONDS = 2.0


def download_model(name: str, revision: str | None = None, weights_revision: str | None = None) -> tuple[Path, Path]:
    """Download a model, or find it in the Hub's cache on this computer.

    Parameters
    ----------
    name : str
        OWNER/NAME.
    revision : str, optional
        Commit of the configuration, the tokenizer and, if they are there, the weights; the newest by default.
    weights_revision : str, optional
        Where the safetensors are if not in `revision`; the Hub's own conversion by default.

    Returns
    -------
    tuple of Path
        The folder of configuration and tokenizer, and the folder of the weights.

    Raises
    ------
    OSError
        `ConnectionError`, `FileNotFoundError` or `PermissionError`, with one sentence that says what to do.
    """
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=[*DESCRIPTION_FILES, *WEIGHT_FILES]))
        if has_weights(folder):
            return folder, folder
        return folder, cached_weights(name) or _download_weights(name, weights_revision)
    except (HFValidationError, HTTPError, OSError) as error:  # HTTPError: of whichever httpx the Hub's library uses
        raise _explain(error, name, revision) from error


def has_weights(folder: Path) -> bool:
    """Whether a folder holds weights as safetensors, in one file or several."""
    return any((folder / file).is_file() for file in ("model.safetensors", "model.safetensors.index.json"))


def cached_weights(name: str) -> Path | None:
    """Folder of a Hub model's safetensors on this computer, or None."""
    cache = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=name, repo_type="model") / "snapshots"
    return next((folder for folder in sorted(cache.glob("*")) if has_weights(folder)), None)


def _download_weights(name: str, revision: str | None) -> Path:
    folder = None
    if revision := revision or _find_conversion(name):
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(WEIGHT_FILES)))
    if folder is None or not has_weights(folder):
        raise FileNotFoundError(
            f"{name} has no safetensors weights on the Hub, and a pickle can run code when it is opened, so the course "
            "does not open it. Choose a model that lists model.safetensors among its files."
        )
    return folder


def _find_conversion(name: str) -> str | None:
    """Revision (refs/pr/N) of the Hub's own pull request with safetensors weights, or None."""
    requests = HfApi().get_repo_discussions(name, author=CONVERTER, discussion_type="pull_request")
    return next((request.git_reference for request in requests if "safetensors" in request.title.lower()), None)


def _explain(error: Exception, name: str, revision: str | None) -> OSError:
    """The sentence for a person, as the built-in error that fits."""
    if isinstance(error, GatedRepoError):
        return PermissionError(
            f"{name} is gated: accept its conditions at {constants.ENDPOINT}/{name}, then log in with `hf auth login` "
            "(or set HF_TOKEN) and try again."
        )
    if isinstance(error, (RepositoryNotFoundError, HFValidationError)):
        return FileNotFoundError(
            f"The Hub has no model {name!r} that you may see. Check the spelling; if the model is private, log in with "
            "`hf auth login` (or set HF_TOKEN)."
        )
    if isinstance(error, RevisionNotFoundError):
        return FileNotFoundError(f"{name} has no revision {revision!r} on the Hub any more. Update the course.")
    if isinstance(error, HfHubHTTPError):
        return ConnectionError(
            f"The Hub answered {name!r} with the error {error.response.status_code}. Try again later."
        )
    if isinstance(error, (LocalEntryNotFoundError, ConnectionError)) or not isinstance(error, OSError):
        return ConnectionError(
            f"{name!r} is not on this computer, and the Hub ({constants.ENDPOINT}) cannot be reached. Check the "
            "network, or choose 'sentiment' or 'toxicity', which need none."
        )
    if error.errno is not None:
        return OSError(
            f"{constants.HF_HUB_CACHE}: {name} cannot be written there ({error.strerror}). Free some space on the "
            "disk, or set HF_HOME to a folder on another one."
        )
    return error


def why_unreachable(seconds: float = PROBE_SECONDS) -> str | None:
    """One line that says why the Hub cannot be reached, or None if it answers within `seconds`.

    The question is asked on a thread of its own, because a broken name server can hold a lookup up for much longer
    than any timeout of the connection.
    """
    if constants.HF_HUB_OFFLINE:
        return "needs the Hub, and HF_HUB_OFFLINE is set"
    answered = threading.Event()

    def ask() -> None:
        try:
            request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
            urllib.request.urlopen(request, timeout=seconds).close()
            answered.set()
        except urllib.error.HTTPError:
            answered.set()  # an answer, even if it is a refusal
        except (OSError, http.client.HTTPException):
            return

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return None if answered.is_set() else "needs the Hub, which cannot be reached from here now"
