"""Streams end with who reads them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

from starlette.types import Message

from gateway.streams import stream


def test_who_stops_reading_stops_the_writing_at_once() -> None:
    closed: list[bool] = []

    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"data: more\n\n"
        finally:
            closed.append(True)

    written = chunks()  # held on to, so that nothing but a call can close it

    async def read_one() -> None:
        heard = asyncio.Event()

        async def receive() -> Message:
            await heard.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message.get("body"):
                heard.set()

        scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
        await asyncio.wait_for(stream(written)(scope, receive, send), 10)

    gc.disable()
    try:
        asyncio.run(read_one())
        assert closed == [True]
    finally:
        gc.enable()
