"""Keys as people have them: of a server, to be pinned, and one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.errors import InvalidInput

if TYPE_CHECKING:
    import asyncssh


def public_key(text: str) -> asyncssh.SSHKey:
    """Of a line of `known_hosts` or of a `.pub` file. Raises `InvalidInput`."""
    import asyncssh

    words = text.split()
    try:
        at = next(n for n, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-")))
        return asyncssh.import_public_key(" ".join(words[at : at + 2]))
    except (asyncssh.KeyImportError, StopIteration) as error:
        raise InvalidInput(
            "A server's key looks like: ssh-ed25519 AAAA…", code="bad_host_key",
            field="config.host_key",
        ) from error  # fmt: skip


def private_key(secrets: Mapping[str, str]) -> asyncssh.SSHKey:
    import asyncssh

    try:
        return asyncssh.import_private_key(secrets["private_key"], secrets.get("passphrase"))
    except asyncssh.KeyEncryptionError as error:
        raise InvalidInput(
            "The private key does not open with this passphrase.", code="bad_passphrase",
            field="secrets.passphrase",
        ) from error  # fmt: skip
    except asyncssh.KeyImportError as error:
        raise InvalidInput(
            "The private key needs its `passphrase`, or is none: one begins with -----BEGIN.",
            code="bad_private_key", field="secrets.private_key",
        ) from error  # fmt: skip
