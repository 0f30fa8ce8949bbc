"""Uploads to the Hugging Face Hub with the login that the user has, and one clear sentence for each refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, constants, get_token

# HTTPError is the base of every network error, of httpx2 in huggingface_hub 2 and of httpx in 1.
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    OfflineModeIsEnabled,
    OIDCError,
    RepositoryNotFoundError,
)

# What an editor, a system or a test run leaves in a folder.
NEVER_UPLOADED = ("*__pycache__/*", "*.ipynb_checkpoints/*", "*.DS_Store")
_TOKEN = re.compile(rb"\bhf_[A-Za-z0-9]{30,}\b")
_TEXT_BYTES = 5_000_000


@contextmanager
def clear_errors(repository: str, kind: str) -> Iterator[None]:
    """Turn whatever the Hub, the login or the network says into one sentence.

    Parameters
    ----------
    repository : str
        OWNER/NAME.
    kind : str
        "model" or "space".

    Raises
    ------
    PermissionError, FileExistsError, ConnectionError, OSError, ValueError
    """
    try:
        yield
    except (HFValidationError, OIDCError, OfflineModeIsEnabled, HTTPError) as error:
        raise _explain(error, repository, kind) from error
    except RuntimeError as error:  # what the upload's threads, and Xet, make of a failure
        cause = error.__cause__ if isinstance(error.__cause__, HTTPError) else error
        raise _explain(cause, repository, kind) from error
    except ValueError as error:  # the Hub's lines about a README, one to each mistake
        raise ValueError(" ".join(str(error).split())) from error


def require_name(repository: str, kind: str) -> None:
    """Raise ValueError unless the name reads OWNER/NAME in the Hub's letters."""
    if not re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}", repository, re.ASCII) or "--" in repository or ".." in repository:
        raise ValueError(
            f"{repository!r} is not the name of a {kind}: it must read OWNER/NAME, such as ada/toxic-comments, with "
            "letters, digits and single - _ . between them."
        )


def require_login(repository: str, kind: str) -> None:
    """Make sure that there is a token: of a trusted publisher, of HF_TOKEN, or of `hf auth login`.

    Raises
    ------
    PermissionError
        If there is none, or the Hub does not trust this workflow.
    """
    try:
        token = get_token()
    except (OIDCError, HfHubHTTPError) as error:
        raise PermissionError(
            f"The Hub gives this workflow no token for {repository}. Name the workflow as a trusted publisher in the "
            f"settings of the {kind}, and give the job the permission `id-token: write`; or use HF_TOKEN, without "
            "HF_OIDC_RESOURCE."
        ) from error
    if token is None:
        raise PermissionError(
            f"You are not logged in to the Hugging Face Hub. Make a token with the right to write at {_token_page()}, "
            "run `hf auth login`, paste the token there, and try again."
        )


def require_no_secrets(folder: Path) -> None:
    """Raise ValueError if a file of the folder holds an access token, or is made to hold secrets (.env)."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        if path.name == ".env" or path.name.startswith(".env."):
            raise ValueError(f"{path} would be uploaded for everyone to read. Move it out of the folder.")
        if path.stat().st_size <= _TEXT_BYTES and _TOKEN.search(path.read_bytes()):
            raise ValueError(
                f"{path} holds an access token, which everyone could read once it is uploaded. Take it out, and if the "
                f"file was ever shared, make the token invalid at {_token_page()}."
            )


def _token_page() -> str:
    return f"{constants.ENDPOINT}/settings/tokens"


def _explain(error: Exception, repository: str, kind: str) -> Exception:
    """The sentence for a person, as the built-in error that fits."""
    if isinstance(error, HFValidationError):
        return ValueError(f"{repository!r} is not a name that the Hub takes: {error}")
    if isinstance(error, OfflineModeIsEnabled):
        return ConnectionError("Nothing was uploaded, because HF_HUB_OFFLINE is set. Unset it and try again.")
    if isinstance(error, HfHubHTTPError):
        return _explain_refusal(error, repository, kind)
    if isinstance(error, HTTPError):
        return ConnectionError(
            f"The Hub ({constants.ENDPOINT}) cannot be reached. Check the network connection and run the same command "
            "again; what has been uploaded already is not sent twice."
        )
    return OSError(f"The upload to {repository} broke off ({error}). Run the same command again.")


def _explain_refusal(error: HfHubHTTPError, repository: str, kind: str) -> Exception:
    status = error.response.status_code
    if status == 401 and not isinstance(error, RepositoryNotFoundError):
        return PermissionError(
            f"The Hub does not accept your token for {repository}: it has expired, was revoked, or is for something "
            f"else. Make a new one with the right to write at {_token_page()}, then run `hf auth login --force`, or "
            "put it into HF_TOKEN if that is what you use."
        )
    if status == 402:
        return PermissionError(
            "The Hub makes Docker Spaces only for accounts with a paid plan. A static Space costs nothing: build the "
            "folder anew with --kind static."
        )
    if status == 403:
        return PermissionError(f"You may not write to the {kind} {repository}. {_who()}")
    if status == 404:
        return FileNotFoundError(f"The Hub has no {kind} {repository} that you may see. Check the spelling. {_who()}")
    if status == 409:
        return FileExistsError(f"The {kind} {repository} exists, and you may not see it. Choose another name. {_who()}")
    if status == 429 or status >= 500:
        return ConnectionError(f"The Hub is busy or broken now (status {status}). Try again in a few minutes.")
    said = " ".join((error.server_message or str(error)).split())
    return OSError(f"The Hub refused the upload to {repository} (status {status}): {said}")


def _who() -> str:
    """Whose login this is and where it may write, for the end of a sentence on a missing right."""
    try:
        person = HfApi().whoami()
    except (HTTPError, OSError):
        return "The login is not of a person who could tell where it may write."
    role = person.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read":
        return f"The token of {person['name']} may only read: make one that may write at {_token_page()}."
    owners = [person["name"], *(group["name"] for group in person.get("orgs", []))]
    return f"You are logged in as {person['name']}, and the OWNER in OWNER/NAME can be {' or '.join(owners)}."
