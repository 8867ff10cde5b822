"""A refusal, on the wire and through the layers: the same answer, and no layer's work."""

from __future__ import annotations

import asyncio
import json

import uvicorn
from starlette.types import Receive, Scope, Send

from gateway.exchange import KEY, Exchange
from gateway.overload import Gate, Line
from gateway.shed import Shed

EXPECTED = {
    "retry-after": "1", "content-type": "application/problem+json", "cache-control": "no-store",
    "x-content-type-options": "nosniff", "x-frame-options": "deny", "x-request-id": "mine-1",
}  # fmt: skip


class _App:
    """Answers after `go`; counts who came."""

    def __init__(self) -> None:
        self.came, self.go, self.body = 0, asyncio.Event(), b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.came += 1
        scope[KEY] = Exchange("", "")
        await self.go.wait()
        while True:
            message = await receive()
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-length", b"2")]})  # fmt: skip
        await send({"type": "http.response.body", "body": b"ok"})


def _gate() -> Gate:
    gate = Gate()
    gate.short = Line(places=1, share=1, patient=5, standing=0.0, brisk=0.005)
    return gate


def _ask(path: str = "/x", method: str = "GET", body: bytes = b"", more: str = "") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: h\r\nX-Request-ID: mine-1\r\n{length}{more}\r\n"
    ).encode() + body


async def _answer(
    reader: asyncio.StreamReader, body: bool = True
) -> tuple[int, dict[str, str], bytes]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    data = await reader.readexactly(int(headers["content-length"])) if body else b""
    return int(lines[0].split()[1]), headers, data


def _server(app: _App, gate: Gate) -> uvicorn.Server:
    config = uvicorn.Config(
        Shed(app, gate, ["https://page.example"]), log_config=None, lifespan="off",
        port=0, access_log=False, server_header=False,
    )  # fmt: skip
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    return server


async def _story(app: _App, gate: Gate) -> None:
    server = _server(app, gate)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
    try:
        for _, writer in pairs[:2]:  # one at work, and one that has waited for too long
            writer.write(_ask())
        while not gate.short.refuses(""):
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        came = app.came
        await _refused(*pairs[3])
        assert app.came == came == 1
        app.go.set()
        assert (await _answer(pairs[0][0]))[0] == 200
        reader, writer = pairs[3]  # the connection that was refused serves on
        writer.write(_ask("/y", "POST", b"hello"))
        assert (await _answer(reader))[0] == 200
        assert app.body == b"hello", "what a refused request carried is gone"
    finally:
        app.go.set()
        for _, writer in pairs:
            writer.close()
        await server.shutdown()


async def _refused(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for ask in (
        _ask(),
        _ask("/x", "POST", b"x" * 10_000),
        _ask(more="Origin: https://page.example\r\n"),
    ):
        writer.write(ask)
        status, headers, data = await _answer(reader)
        assert status == 503
        assert EXPECTED.items() <= headers.items()
        problem = json.loads(data)
        assert (problem["code"], problem["status"], problem["request_id"]) == (
            "overloaded", 503, "mine-1",
        )  # fmt: skip
    assert headers["access-control-allow-origin"] == "https://page.example"
    writer.write(_ask(method="HEAD"))
    status, headers, _ = await _answer(reader, body=False)
    assert status == 503
    assert int(headers["content-length"]) > 0
    writer.write(_ask() + _ask())
    assert [(await _answer(reader))[0] for _ in range(2)] == [503, 503]


def test_a_refusal_is_whole_and_its_connection_goes_on() -> None:
    async def story() -> None:
        gate = _gate()
        await _story(_App(), gate)
        assert gate.short.at_work == 0

    asyncio.run(asyncio.wait_for(story(), 20))


def test_health_is_never_refused() -> None:
    async def story() -> None:
        gate, app = _gate(), _App()
        gate.short.places = 0
        app.go.set()
        sent: list[int] = []

        async def send(message: dict[str, object]) -> None:
            if "status" in message:
                sent.append(int(str(message["status"])))

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b""}

        for path in ("/readyz", "/workflows/x/events"):
            scope: Scope = {"type": "http", "method": "GET", "path": path, "headers": []}
            await Shed(app, gate)(scope, receive, send)  # type: ignore[arg-type]
        assert sent == [200, 200]

    asyncio.run(asyncio.wait_for(story(), 20))
