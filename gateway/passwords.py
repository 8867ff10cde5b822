"""Passwords by argon2id; at most two are hashed at once, so that guesses cannot eat the memory."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import InvalidInput, Unavailable

# OWASP's smaller choice for argon2id: 19 MiB, 2 passes, 1 lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_slots = threading.BoundedSemaphore(2)
_WAIT_SECONDS = 15.0
LENGTH_MIN, LENGTH_MAX = 10, 256
# Checked when nobody has the address, so that an unknown user takes as long as a wrong password.
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Raises `InvalidInput` for one that is too short or too long."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise InvalidInput(
            f"A password has {LENGTH_MIN} to {LENGTH_MAX} characters.", code="bad_password"
        )
    with _Slot():
        return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """With None the same work is done for nothing."""
    with _Slot():
        try:
            _hasher.verify(password_hash or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


class _Slot:
    def __enter__(self) -> None:
        if not _slots.acquire(timeout=_WAIT_SECONDS):
            raise Unavailable("Too many logins at once.", code="busy", retry_after=5)

    def __exit__(self, *_: object) -> None:
        _slots.release()
