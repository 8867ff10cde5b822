"""Whether text of one byte a letter is of Central Europe (cp1250) or of the West (cp1252).

Both call the same bytes letters. What tells them apart: letters of the one that are marks of the
other within words, and letters that no Western language has together.
"""

from __future__ import annotations

import re
from collections import Counter

# Polish ą ł ż ź ś, Slovak ľ; in the West ¹ ³ ¿ Ÿ œ ¾, none of which stands so in a word:
# "m³" and a note's ¹ end one, "¿" begins one, after œ comes u or e.
_WITHIN = re.compile(
    rb"(?<=[a-z\xe0-\xff])[\xb9\xb3\xbf\x9f\xbe](?=[a-z\xe0-\xff])|"
    rb"[\xb3\x9f\xbe](?=[a-z\xe0-\xff]{2})|"
    rb"(?<=[a-z])\x9c(?=[^ue])"
)  # fmt: skip
_NOBODYS = re.compile(rb"[a-z]\x9d")  # ť; in the West the byte means nothing
_HACEK = b"\x9a\x9e\x8a\x8e"  # š ž: the same in both, in Estonian and Finnish too
_SLAVIC = b"\xe8\xe6\xf0\xec\xf8\xf9\xf2\xef\xc8\xd8"  # č ć đ ě ř ů ň ď; in the West è æ ð ì ø …
_HUNGARIAN = b"\xf5\xfb\xd5\xdb"  # ő ű; õ û
_NOT_HUNGARIAN = b"\xe4\xc4\xe7\xe3\xea\xe8\xe0\xf1\xe5\xf8\xee\xf4"
_ROMANIAN, _NOT_ROMANIAN = b"\xba\xfe\xaa\xde", b"\xe7\xf5\xf0\xe6"  # ş ţ; º þ ª, Icelandic ð æ
_A_BREVE = 0xE3  # ă; in the West ã
_LEAST = 2
_SHARE = 12  # of this many high letters one must be such a letter


def is_central(sample: bytes) -> bool:
    counts = Counter(byte for byte in sample if byte > 127)
    high = sum(counts.values())
    least = max(_LEAST, high // _SHARE)

    def count(letters: bytes) -> int:
        return sum(counts[letter] for letter in letters)

    if len(_WITHIN.findall(sample)) >= least or _NOBODYS.search(sample):
        return True
    if counts[0xF8] and counts[0xEC]:  # ř and ě; nobody has both ø and ì
        return True
    if count(_HACEK) >= least and count(_SLAVIC) >= least:
        return True
    if count(_ROMANIAN) >= least and counts[_A_BREVE] and not count(_NOT_ROMANIAN):
        return True
    return (
        count(_HUNGARIAN) >= least
        and not count(_NOT_HUNGARIAN)
        and count(b"\xf6\xfc") > 0
        and count(b"\xe1\xe9") >= _LEAST
    )
