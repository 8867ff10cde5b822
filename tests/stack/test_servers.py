"""The starter does to real servers what its words say."""

from __future__ import annotations

import pytest

from tests.stack.servers import Servers

pytestmark = pytest.mark.stack


def states(servers: Servers, name: str) -> str:
    return next(str(each["state"]) for each in servers.status() if each["name"] == name)


def test_a_server_is_killed_paused_wiped_and_comes_back_at_the_same_address(
    servers: Servers,
) -> None:
    servers.up("redis")
    url = servers.url("redis")
    servers.pause("redis")
    assert states(servers, "redis") == "paused"
    servers.resume("redis")
    assert states(servers, "redis") == "up"
    servers.kill("redis")
    assert states(servers, "redis") == "dead"
    servers.start("redis")
    assert states(servers, "redis") == "up"
    servers.wipe("redis")
    assert states(servers, "redis") == "down"
    servers.start("redis")
    assert servers.url("redis") == url
