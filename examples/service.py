"""Keeps and finds voices over HTTP: `python -m uvicorn --app-dir examples service:app`.

What it answered for is kept, whatever ends the process; who got no answer may ask again.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock
from typing import Annotated

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field, FiniteFloat

from minifloat.index import Index, Stats

FOLDER, DIM = Path(os.environ.get("VOICES", "voices.index")), 192
# Ids are parts of paths.
Name = Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=200)]
Vector = Annotated[list[FiniteFloat], Field(min_length=DIM, max_length=DIM)]

index: Index
# A commit that fails undoes all changes since the last one: let these be one request's.
changing = Lock()


class Voice(BaseModel):
    id: Name
    speaker: Name
    vector: Vector


class Query(BaseModel):
    vector: Vector
    k: Annotated[int, Field(ge=1, le=100)] = 10
    speaker: Name | None = None


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    global index
    if not FOLDER.exists():
        Index.create(FOLDER, DIM, "e2m1", columns={"speaker": "text indexed"}).close()
    # One process writes: a second one is refused here.
    with Index.open(FOLDER, write=True) as index:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/voices", status_code=201)
def add(voice: Voice) -> int:
    with changing:
        index.upsert([voice.id], [voice.vector], speaker=voice.speaker)
        return index.commit()


@app.delete("/voices/{id}", status_code=204)
def erase(id: Name) -> None:
    try:
        with changing:
            index.purge([id])
    except KeyError as error:
        raise HTTPException(404, f"there is no voice {id!r}") from error


@app.post("/search")
def search(query: Query) -> dict[str, float]:
    where = None if query.speaker is None else ("speaker = ?", [query.speaker])
    scores, ids = index.search([query.vector], query.k, where=where)
    # Where there are fewer voices than k, None is behind them.
    return {id: float(score) for id, score in zip(ids[0], scores[0], strict=True) if id}


@app.get("/stats")
def stats() -> Stats:
    return index.stats()
