"""Forged, stale and misshapen credentials: all of them get the same answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.testclient import TestClient

from core.derive import signing_key
from gateway.credentials import Keyring
from tests.gateway.people import Town

REMOVED = object()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


class Forge:
    """Makes tokens that are almost good."""

    def __init__(self, town: Town) -> None:
        self.good = str(town.login("acme", "admin")["access_token"])
        self.refresh = str(town.login("acme", "admin")["refresh_token"])
        self.keyring = Keyring(town.rt.root_key)
        self.public = signing_key(town.rt.root_key, "access token").public_key()
        head, body, self.signature = self.good.split(".")
        self.header = json.loads(base64.urlsafe_b64decode(head + "=="))
        self.claims = json.loads(base64.urlsafe_b64decode(body + "=="))

    def signed(self, **changes: Any) -> str:
        """Really signed by us, with other claims."""
        claims = {**self.claims, **changes}
        return self.keyring.seal(_json({k: v for k, v in claims.items() if v is not REMOVED}))

    def unsigned(self, header: dict[str, Any], signature: str = "") -> str:
        return f"{_b64(_json(header))}.{_b64(_json(self.claims))}.{signature}"

    def hmac_with_public_key(self, algorithm: str, encoding: Encoding, shape: PublicFormat) -> str:
        key = self.public.public_bytes(encoding, shape)
        head = f"{_b64(_json({**self.header, 'alg': algorithm}))}.{_b64(_json(self.claims))}"
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
        return f"{head}.{_b64(hmac.new(key, head.encode(), digest[algorithm]).digest())}"

    def with_own_key(self, header: dict[str, Any]) -> str:
        """Signed by a stranger whose key the header points at."""
        stranger = Ed25519PrivateKey.generate()
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": _b64(stranger.public_key().public_bytes_raw())}
        header = {k: jwk if v == "JWK" else v for k, v in header.items()}
        head = f"{_b64(_json({**self.header, **header}))}.{_b64(_json(self.claims))}"
        return f"{head}.{_b64(stranger.sign(head.encode()))}"


def bad_tokens(forge: Forge) -> Iterator[tuple[str, str]]:
    now = forge.claims["iat"]
    nothings: tuple[Any, ...] = ("none", "None", "NONE", "nOnE", "", None, 0, [], "EdDSA ")
    for alg in nothings:
        yield f"alg {alg!r} unsigned", forge.unsigned({**forge.header, "alg": alg})
        yield (
            f"alg {alg!r} old signature",
            forge.unsigned({**forge.header, "alg": alg}, forge.signature[:-4] + "AAAA"),
        )
    for alg in ("HS256", "HS384", "HS512"):
        yield (
            f"{alg} pem",
            forge.hmac_with_public_key(alg, Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        )
        yield f"{alg} raw", forge.hmac_with_public_key(alg, Encoding.Raw, PublicFormat.Raw)
    pointers: tuple[tuple[str, Any], ...] = (
        ("kid", "../../../../dev/null"), ("kid", "' OR 1=1 --"), ("kid", ""), ("kid", None),
        ("jku", "http://127.0.0.1:9/jwks.json"), ("x5u", "http://127.0.0.1:9/cert.pem"),
        ("jwk", "JWK"), ("x5c", ["AAAA"]), ("crit", ["exp"]), ("b64", False), ("zip", "DEF"),
        ("typ", "JWT"), ("cty", "JWT"),
    )  # fmt: skip
    for name, value in pointers:
        yield f"stranger with {name}={value!r}", forge.with_own_key({name: value})
    for name, value in (("kid", "x"), ("typ", "JWT"), ("jku", "http://127.0.0.1:9/"), ("cty", "a")):
        yield f"ours with header {name}", forge.keyring.seal(_json(forge.claims), {name: value})
    wrong: tuple[tuple[str, Any], ...] = (
        ("iss", "evil"), ("iss", REMOVED), ("aud", "other"), ("aud", ["weft"]), ("aud", REMOVED),
        ("typ", "refresh"), ("typ", REMOVED), ("nbf", now + 3600), ("iat", now + 3600),
        ("exp", REMOVED), ("exp", None), ("exp", str(now + 60)), ("exp", 1e99), ("exp", True),
        ("nbf", REMOVED), ("sub", REMOVED), ("sub", 7), ("sub", ""), ("sub", "nobody"),
        ("tid", REMOVED), ("tid", "platform"), ("tid", "' OR 1=1 --"), ("fam", REMOVED),
        ("epoch", REMOVED), ("epoch", 99), ("epoch", -1), ("jti", REMOVED),
    )  # fmt: skip
    for name, value in wrong:
        shown = "missing" if value is REMOVED else repr(value)
        yield f"{name} {shown}", forge.signed(**{name: value})
    twice = _json(forge.claims)[:-1] + b', "sub": "someone"}'
    yield "double claims", forge.keyring.seal(twice)
    yield "claims are a list", forge.keyring.seal(b"[]")
    yield "claims are not JSON", forge.keyring.seal(b"\xff\xfe")
    yield "deep claims", forge.keyring.seal(b"[" * 900)
    yield "signature cut", forge.good[:-10]
    yield "signature of nothing", forge.good.rsplit(".", 1)[0] + "."
    yield "two parts", forge.good.rsplit(".", 1)[0]
    yield "four parts", forge.good + ".x"
    yield "100 KB", "a" * 30_000
    yield "refresh as access", forge.refresh
    yield "empty", ""
    yield "dots", ".."
    yield "not base64", "!!!.???.***"
    yield "an API key that is none", "wk_00000000_" + "A" * 43
    yield "half an API key", "wk_"


def test_every_bad_token_gets_the_same_answer(town: Town) -> None:
    forge = Forge(town)
    kinds = list(bad_tokens(forge))
    assert len(kinds) >= 60
    bodies = set()
    for name, token in kinds:
        headers = {"Authorization": f"Bearer {token}", "X-Request-ID": "same"}
        answer = town.http.get("/auth/verify", headers=headers)
        assert answer.status_code == 401, name
        assert answer.headers["www-authenticate"] == "Bearer"
        bodies.add(answer.text)
    assert len(bodies) == 1


def test_a_token_that_was_good_once_is_told_how_to_go_on(town: Town) -> None:
    forge = Forge(town)
    stale = forge.signed(exp=forge.claims["iat"] - 1)
    answer = town.http.get("/auth/verify", headers={"Authorization": f"Bearer {stale}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    assert "refresh" in answer.json()["hint"]


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Basic YTpi")],
        [("Authorization", "Bearer")],
        [("Authorization", "GOOD")],
        [("Authorization", "Bearer GOOD"), ("X-API-Key", "wk_1_2")],
        [("Authorization", "Bearer GOOD"), ("Authorization", "Bearer GOOD")],
        [("X-API-Key", "GOOD")],
        [("X-API-Key", "")],
        [("Cookie", "access_token=GOOD")],
    ],
)
def test_a_credential_stands_in_one_header_in_one_way(
    town: Town, headers: list[tuple[str, str]]
) -> None:
    good = town.login("acme", "admin")["access_token"]
    sent = [(name, value.replace("GOOD", good)) for name, value in headers]
    assert town.http.get("/auth/verify", headers=sent).status_code == 401


def test_a_credential_in_the_address_is_none(town: Town) -> None:
    good = town.login("acme", "admin")["access_token"]
    assert town.http.get(f"/auth/verify?access_token={good}").status_code == 401


def test_verify_says_who_and_what(town: Town) -> None:
    seen = town.http.get("/auth/verify", headers=town.as_role("acme", "operator")).json()
    assert (seen["tenant"], seen["email"]) == ("acme", "operator@acme.example")
    assert seen["roles"] == ["operator"]
    assert "workflows:execute" in seen["scopes"]
    assert "users:write" not in seen["scopes"]


def test_an_api_key_works_in_both_headers(town: Town) -> None:
    headers = town.key("acme", "documents:read")
    bearer = {"Authorization": f"Bearer {headers['X-API-Key']}"}
    for way in (headers, bearer):
        seen = town.http.get("/auth/verify", headers=way).json()
        assert (seen["scopes"], seen["user_id"]) == (["documents:read"], None)


def test_tokens_of_another_root_key_are_strangers(town: Town, elsewhere: TestClient) -> None:
    assert elsewhere.get("/auth/verify", headers=town.as_role("acme")).status_code == 401
