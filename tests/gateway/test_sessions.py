"""Login, rotation, revocation, guesses."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway import provision
from gateway.access import BELIEVED_MS
from tests.gateway.people import PASSWORD, Town


def _login(town: Town, email: str, password: str = PASSWORD, **more: str) -> dict[str, Any]:
    body = {"email": email, "password": password, **more}
    tokens: dict[str, Any] = town.http.post("/auth/login", json=body).json()
    return tokens


def _refresh(town: Town, token: str) -> tuple[int, dict[str, str]]:
    answer = town.http.post("/auth/refresh", json={"refresh_token": token})
    return answer.status_code, answer.json()


def _verify(town: Town, access: str) -> int:
    headers = {"Authorization": f"Bearer {access}"}
    return town.http.get("/auth/verify", headers=headers).status_code


def test_login_answers_in_the_fixed_shape(town: Town) -> None:
    tokens = _login(town, town.user("acme", "viewer", "Shape@Acme.example"))
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 3600)
    assert tokens["refresh_expires_in"] == 604800
    assert _verify(town, tokens["access_token"]) == 200


def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(town: Town) -> None:
    first = _login(town, town.user("acme", "viewer", "reuse@acme.example"))
    status, second = _refresh(town, first["refresh_token"])
    assert status == 200
    assert _verify(town, second["access_token"]) == 200
    assert _refresh(town, first["refresh_token"])[0] == 401
    assert _refresh(town, second["refresh_token"])[0] == 401, (
        "the thief and the victim are both out"
    )
    assert _verify(town, second["access_token"]) == 401
    assert _verify(town, first["access_token"]) == 401


def test_other_sessions_of_the_user_survive_a_reuse(town: Town) -> None:
    email = town.user("acme", "viewer", "two@acme.example")
    stolen, other = _login(town, email), _login(town, email)
    _refresh(town, stolen["refresh_token"])
    _refresh(town, stolen["refresh_token"])
    assert _refresh(town, other["refresh_token"])[0] == 200


def test_a_race_for_one_refresh_token_has_one_winner(town: Town) -> None:
    tokens = _login(town, town.user("acme", "viewer", "race@acme.example"))
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda _: _refresh(town, tokens["refresh_token"])[0], range(20)))
    assert sorted(outcomes) == [200] + [401] * 19


@pytest.mark.parametrize("token", ["", "x", "wr_" + "A" * 43, None, [], {}, 7])
def test_a_refresh_token_that_is_none_is_refused(town: Town, token: object) -> None:
    answer = town.http.post("/auth/refresh", json={"refresh_token": token})
    assert answer.status_code in (401, 422)


def test_an_access_token_does_not_refresh(town: Town) -> None:
    assert _refresh(town, town.login("acme", "admin")["access_token"])[0] in (401, 422)


def test_logout_ends_access_and_refresh(town: Town) -> None:
    tokens = _login(town, town.user("acme", "viewer", "out@acme.example"))
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert town.http.post("/auth/logout", headers=headers).status_code == 204
    assert _verify(town, tokens["access_token"]) == 401
    assert _refresh(town, tokens["refresh_token"])[0] == 401


def test_a_new_role_password_or_lock_ends_what_was_issued_before(town: Town) -> None:
    admin = town.as_role("acme")
    for change in ({"role": "viewer"}, {"password": "another long one"}, {"disabled": True}):
        email = town.user("acme", "operator", f"{next(iter(change))}@acme.example")
        tokens = _login(town, email)
        user = town.http.get(
            "/auth/verify", headers={"Authorization": f"Bearer {tokens['access_token']}"}
        ).json()["user_id"]
        done = town.http.patch(f"/users/{user}", json=change, headers=admin)
        assert done.status_code == 200, done.text
        assert _verify(town, tokens["access_token"]) == 401, change


def test_a_suspended_tenant_is_shut_out_and_comes_back(town: Town) -> None:
    tenant = town.tenant("sleepy").tenant
    headers, root = town.as_role("sleepy"), town.as_role("platform", "platform_admin")
    for status, expected in (("suspended", 401), ("active", 200)):
        town.http.patch(f"/tenants/{tenant}", json={"status": status}, headers=root)
        assert town.http.get("/auth/verify", headers=headers).status_code == expected


def test_another_process_believes_a_revoked_key_for_five_seconds_at_most() -> None:
    assert BELIEVED_MS <= 5_000


def test_a_revoked_api_key_is_refused_at_once_here(town: Town) -> None:
    admin = town.as_role("acme")
    body = {"name": "k", "scopes": ["documents:read"]}
    made = town.http.post("/auth/api-keys", json=body, headers=admin).json()
    headers = {"X-API-Key": made["key"]}
    assert town.http.get("/auth/verify", headers=headers).status_code == 200
    assert town.http.delete(f"/auth/api-keys/{made['id']}", headers=admin).status_code == 204
    assert town.http.get("/auth/verify", headers=headers).status_code == 401
    assert town.http.get(f"/auth/api-keys/{made['id']}", headers=admin).status_code == 404


def test_a_key_is_shown_once_and_kept_as_a_hash(town: Town) -> None:
    admin = town.as_role("acme")
    body = {"name": "once", "scopes": ["documents:read"]}
    made = town.http.post("/auth/api-keys", json=body, headers=admin).json()
    secret = made["key"].split("_", 2)[2]
    assert len(secret) >= 43
    assert secret not in town.http.get("/auth/api-keys", headers=admin).text
    database = (town.rt.settings.data_dir / "weft.db").read_bytes()
    log = (town.rt.settings.data_dir / "weft.db-wal").read_bytes()
    assert secret.encode() not in database + log


def test_no_key_can_do_more_than_its_maker(town: Town) -> None:
    headers = town.key("acme", "keys:write", "documents:read")
    fine = {"name": "k", "scopes": ["documents:read"]}
    more = {"name": "k", "scopes": ["documents:read", "documents:write"]}
    assert town.http.post("/auth/api-keys", json=fine, headers=headers).status_code == 201
    assert town.http.post("/auth/api-keys", json=more, headers=headers).status_code == 403
    unknown = {"name": "k", "scopes": ["everything"]}
    assert town.http.post("/auth/api-keys", json=unknown, headers=headers).status_code == 422


def test_an_expired_key_is_refused(town: Town) -> None:
    soon = town.rt.clock.now_ms() + 150
    _, key = provision.create_api_key(
        town.rt, town.ctx("acme"), name="brief", scopes=["documents:read"], expires_ms=soon
    )
    deadline = time.monotonic() + 5
    while town.http.get("/auth/verify", headers={"X-API-Key": key}).status_code == 200:
        assert time.monotonic() < deadline
    assert town.rt.clock.now_ms() >= soon


def test_guesses_at_one_account_are_ten_in_a_quarter_of_an_hour(town: Town) -> None:
    known = town.user("acme", "viewer", "guessed@acme.example")
    for email in (known, "nobody@acme.example"):
        answers = [
            town.http.post("/auth/login", json={"email": email, "password": f"wrong {n}"})
            for n in range(12)
        ]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
        wait = int(answers[-1].headers["retry-after"])
        assert 0 < wait <= 901
    locked = town.http.post("/auth/login", json={"email": known, "password": PASSWORD})
    assert locked.status_code == 429


def test_a_good_login_wipes_the_slate(town: Town) -> None:
    email = town.user("acme", "viewer", "clumsy@acme.example")
    for _ in range(3):
        for _ in range(6):
            town.http.post("/auth/login", json={"email": email, "password": "wrong"})
        assert "access_token" in _login(town, email)


def test_an_unknown_user_and_a_wrong_password_look_alike(town: Town) -> None:
    known = [town.user("acme", "viewer", f"known{n}@acme.example") for n in range(8)]
    spent: dict[bool, list[float]] = {True: [], False: []}
    bodies = set()
    for n, email in enumerate(known):
        for exists, address in ((True, email), (False, f"unknown{n}@acme.example")):
            began = time.process_time()  # the work, not the wait for a busy machine
            answer = town.http.post(
                "/auth/login",
                json={"email": address, "password": "wrong"},
                headers={"X-Request-ID": "same"},
            )
            spent[exists].append(time.process_time() - began)
            bodies.add(answer.text)
    assert len(bodies) == 1
    assert 0.6 < min(spent[True]) / min(spent[False]) < 1.6


def test_one_address_in_two_tenants_says_which_one_is_meant(town: Town) -> None:
    town.tenant("first"), town.tenant("second")
    for slug in ("first", "second"):
        town.user(slug, "viewer", "both@people.example")
    for slug in ("first", "second"):
        tokens = _login(town, "both@people.example", tenant=slug)
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert town.http.get("/auth/verify", headers=headers).json()["tenant"] == slug


def test_the_last_admin_cannot_lock_everybody_out(town: Town) -> None:
    town.tenant("lonely")
    admin = town.as_role("lonely")
    me = town.http.get("/auth/verify", headers=admin).json()["user_id"]
    for change in ({"role": "viewer"}, {"disabled": True}):
        assert town.http.patch(f"/users/{me}", json=change, headers=admin).status_code == 409
    assert town.http.delete(f"/users/{me}", headers=admin).status_code == 409
    assert town.http.get("/auth/verify", headers=admin).status_code == 200


def test_signing_in_opens_the_shelf_and_a_refused_try_does_not(town: Town) -> None:
    opened: list[str] = []
    warmer = town.app.state.house.warmer
    warmer.warm = lambda _rt, ctx: opened.append(ctx.tenant)
    try:
        email = town.user("acme", "viewer", "warm@acme.example")
        _login(town, email, "a wrong password")
        assert opened == []
        _login(town, email)
        assert opened == [town.ctx("acme").tenant]
    finally:
        del warmer.warm
