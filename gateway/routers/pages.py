"""`/docs`, the contract for people, and `/why`, a run that waits: no line from another host."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, RedirectResponse, Response

router = APIRouter(include_in_schema=False)
_STATIC = Path(__file__).parent.parent / "static"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@router.get("/")
async def home() -> Response:
    return RedirectResponse("/docs")


@router.get("/docs")
async def docs() -> Response:
    return FileResponse(_STATIC / "docs.html", headers={"Content-Security-Policy": _CSP})


@router.get("/docs/page.js")
async def script() -> Response:
    return FileResponse(_STATIC / "docs.js", media_type="text/javascript")


@router.get("/why")
async def why() -> Response:
    return FileResponse(_STATIC / "why.html", headers={"Content-Security-Policy": _CSP})


@router.get("/why/page.js")
async def why_script() -> Response:
    return FileResponse(_STATIC / "why.js", media_type="text/javascript")
