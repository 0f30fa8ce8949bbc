"""Slurs that no comment of the course may contain, as digests: the words themselves need not stand in the project."""

from __future__ import annotations

import hashlib
import re
import unicodedata

# The first 16 hexadecimal digits of the SHA-256 of each word, in lower case and without accents.
_DIGESTS = frozenset(
    """
    08a841e996781e9e 120f6e5b4ea32f65 12e6274e4309293e 158869a97379229b 16ea09fc78ca83ca
    1e02eec4f1095143 22fc75e65a0e9d34 27eb0c4ad7072067 333f7618092958c7 33740da8a87dc7de
    3b1e0d7c5dd45583 3cc0a581d3bbe605 566f532d486c9477 5b3ae48be122f7ed 619bc82e0d200e4a
    63bd9333b1a0b11d 87d1690e74a1d827 886d51e97ad7931d 8f5083e3e5c7dc89 94a877e2ce63725e
    98b52c4b6b7d1f48 9915ba2d822280f2 9ae315a94e428a7e ad64e56f214e89dd bd331fb1d24298f5
    be00f1af522eaa99 c2c3b68b48832afd c3de533e9b7fe63b cc02032349c833ac dc675e448132fd2a
    dd92623b0a4b255f e7b98c6aa5b944e0 eef3bd091670c344 f59e28f8bb6499dd
    f9d0d9b18ae9033a
    """.split()
)


def contains_slur(text: str) -> bool:
    """Whether a word of the text, or its singular, is a slur; case, accents and look-alike digits do not hide it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z]+", plain) + re.findall(r"[a-z]+", plain.translate(str.maketrans("01345@$", "oieasas")))
    return any(_is_slur(word) or _is_slur(word.removesuffix("s")) for word in words)


def _is_slur(word: str) -> bool:
    return hashlib.sha256(word.encode()).hexdigest()[:16] in _DIGESTS
