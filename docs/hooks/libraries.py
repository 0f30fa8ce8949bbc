"""Hook: fonts, formulas, widgets and diagrams come with the site, from the npm packages that the lock file pins.

Nothing is loaded from another host when a page is read. `vendor.json` says which file of which package gets which name.
Only these packages are fetched, not what they are built from: their files need nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url
from project import ROOT, add_files, key_of, made_once

NPM = ROOT / "docs" / "npm"
SECONDS = 900
PLACE = "assets/vendor"
MATH = re.compile(r'class="arithmatex"|\\\(.+?\\\)|\$\$.+?\$\$', re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the libraries to the site."""
    key = key_of(NPM / name for name in ("package-lock.json", "vendor.json"))
    add_files(files, config, made_once("libraries", key, collect), PLACE)
    return files


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Load the large libraries on the pages that use them alone."""
    wanted = []
    if "application/vnd.jupyter.widget-state+json" in output:
        wanted.append("widgets")
    if 'class="mermaid"' in output:
        wanted.append("mermaid")
    if page.content and MATH.search(page.content):
        wanted.append("mathjax")
    tags = "".join(f'<script src="{get_relative_url(f"{PLACE}/{name}.js", page.url)}"></script>' for name in wanted)
    # Before the theme's own program, which would fetch mermaid from elsewhere if it were not there yet.
    return output.replace('<script id="__config"', f'{tags}<script id="__config"', 1)


def collect(output: Path) -> None:
    """Put the files that vendor.json names into a folder."""
    chosen = json.loads((NPM / "vendor.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="npm-") as temporary:
        packages = fetch(dict.fromkeys(map(package_of, chosen)), Path(temporary))
        for source, target in chosen.items():
            (output / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(packages / source, output / target)


def package_of(source: str) -> str:
    """The package's name in a path such as "@scope/name/dist/file.js"."""
    return "/".join(source.split("/")[: 2 if source.startswith("@") else 1])


def fetch(names: Iterable[str], folder: Path) -> Path:
    """Unpack packages at the versions of package-lock.json into a folder, one subfolder each.

    npm's own cache serves a second call, so that it needs no network.

    Raises
    ------
    PluginError
        If npm is missing or fails, or a package is not the one that was locked.
    """
    locked = json.loads((NPM / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    npm = shutil.which("npm")
    if npm is None:
        raise PluginError(
            "The site's fonts and libraries come from npm: install Node.js from https://nodejs.org first."
        )
    for name in names:
        entry = locked[f"node_modules/{name}"]
        command = [npm, "pack", f"{name}@{entry['version']}", "--json", "--ignore-scripts", "--prefer-offline"]
        done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=SECONDS)
        if done.returncode:
            raise PluginError(f"npm could not get {name}: check the network. It says: {done.stderr.strip()[-300:]}")
        archive = folder / json.loads(done.stdout)[0]["filename"]
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if entry["integrity"] != f"sha512-{digest}":
            raise PluginError(f"{name} {entry['version']} is not the package that docs/npm/package-lock.json names.")
        unpack(archive, folder / name)
    return folder


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an npm package; all its files lie in one folder, mostly called `package`."""
    folder.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            member.name = member.name.partition("/")[2]
            if member.name and member.isfile():
                tar.extract(member, folder, filter="data")
