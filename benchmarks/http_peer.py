"""The peer: plain FastAPI + PyJWT + SQLite, an authenticated read of one row, written well.

`python -m benchmarks.http_peer PORT DATABASE` serves `/read`; its dependency is async, which is
faster than the usual sync one.
"""

import sqlite3
import sys
from typing import Annotated, Any

import jwt
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException

SECRET = "k" * 32


def serve(port: int, database: str) -> None:
    db = sqlite3.connect(database, check_same_thread=False)
    app = FastAPI()

    async def user(authorization: Annotated[str, Header()]) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(authorization[7:], SECRET, algorithms=["HS256"])
        except jwt.PyJWTError as error:
            raise HTTPException(401) from error
        return claims

    @app.get("/read")
    async def read(who: Annotated[dict[str, Any], Depends(user)]) -> dict[str, Any]:
        query = "select id, status, payload from runs where tenant = ? and id = ?"
        row = db.execute(query, (who["tenant"], who["n"])).fetchone()
        return {"id": row[0], "status": row[1], "payload": row[2]}

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
