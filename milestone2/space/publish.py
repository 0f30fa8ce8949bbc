"""Publish a built folder as a Hugging Face Space, or update the Space that is there."""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from huggingface_hub import HfApi, SpaceInfo, metadata_load
from huggingface_hub.errors import RepositoryNotFoundError

from milestone2.upload import NEVER_UPLOADED, clear_errors, require_login, require_name, require_no_secrets


def publish(folder: str | Path, space: str, private: bool = False) -> str:
    """Make the Space look like the folder: new files come, changed ones change, files that are gone go.

    Earlier states stay in the Space's history.

    Parameters
    ----------
    folder : str or Path
        From `milestone2.space.build`.
    space : str
        OWNER/NAME. Made if it is not there.
    private : bool
        Whether a new Space is for its owner's eyes alone.

    Returns
    -------
    str
        Address of the Space.

    Raises
    ------
    OSError
        If the folder, the login, the Hub or the network is not as it must be; with one sentence that says what to do.
    ValueError
        If the name is none, the folder holds a secret, or the Space exists with another SDK.
    """
    folder = Path(folder).expanduser()
    sdk = find_sdk(folder)
    require_name(space, "Space")
    require_no_secrets(folder)
    require_login(space, "Space")
    with clear_errors(space, "Space"):
        before = _find_space(space)
        if before is None:
            if os.environ.get("HF_OIDC_RESOURCE"):
                raise FileNotFoundError(_no_space_for_workflow(space))
            print(f"Making the {'private' if private else 'public'} {sdk} Space {space} ...")
            HfApi().create_repo(space, repo_type="space", space_sdk=sdk, private=private)
        elif before.sdk not in (None, sdk):
            raise FileExistsError(_other_sdk(space, before.sdk, sdk))
        return _upload(folder, space, before)


def find_sdk(folder: Path) -> str:
    """The SDK that the folder's README names in its front matter, "static" or "docker".

    Raises
    ------
    FileNotFoundError
        If there is no README.md.
    ValueError
        If it names none of the two.
    """
    readme = folder / "README.md"
    if not readme.is_file():
        raise FileNotFoundError(
            f"{folder} holds no README.md, so it is not a built Space. Build one with: "
            f"python -m milestone2.space build --output {folder}"
        )
    try:
        sdk = (metadata_load(readme) or {}).get("sdk")
    except (yaml.YAMLError, ValueError, AttributeError) as error:
        said = " ".join(str(error).split())
        raise ValueError(f"The lines between --- in {readme} are not valid YAML: {said}") from error
    if sdk not in ("static", "docker"):
        raise ValueError(f"{readme} must say `sdk: static` or `sdk: docker` between its two lines of ---, not {sdk!r}.")
    return sdk


def _find_space(space: str) -> SpaceInfo | None:
    try:
        return HfApi().space_info(space)
    except RepositoryNotFoundError:
        return None


def _no_space_for_workflow(space: str) -> str:
    return (
        f"The Hub has no Space {space}, and a workflow with a trusted publisher's token cannot make one. Publish once "
        "from your own computer, then name the workflow as trusted publisher in the settings of the Space."
    )


def _other_sdk(space: str, there: str, ours: str) -> str:
    return (
        f"The Space {space} exists already, with the SDK {there}, and this folder is for {ours}; an upload would "
        "destroy what is there. Choose another name with --space, build with the --kind that is there, or delete the "
        f"Space at the end of its settings: {HfApi().endpoint}/spaces/{space}/settings"
    )


def _upload(folder: Path, space: str, before: SpaceInfo | None) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"Uploading {len(files)} files, {size:.1f} MB in all; the Hub takes only what has changed ...")
    commit = HfApi().upload_folder(
        repo_id=space,
        repo_type="space",
        folder_path=folder,
        ignore_patterns=list(NEVER_UPLOADED),
        delete_patterns="*",
        commit_message="Update from the course" if before else "Publish from the course",
    )
    if before is not None:
        here = {path.relative_to(folder).as_posix() for path in files}
        gone = sorted({file.rfilename for file in before.siblings or []} - here - {".gitattributes"})
        if gone:
            print(f"Removed, because the folder has them no more: {', '.join(gone)}.")
        if commit.oid == before.sha:
            print("The Space had all of this already: nothing has changed.")
    return f"{HfApi().endpoint}/spaces/{space}"
