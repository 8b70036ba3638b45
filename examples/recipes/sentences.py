"""Texts by meaning: vectors of sentence-transformers in 4 bits, under ids, and exact answers."""

import numpy as np
from sentence_transformers import SentenceTransformer

import minifloat as mf


def indexed(
    model: SentenceTransformer, texts: list[str], path: str | None = None, *, bits: int = 4
) -> mf.Index:
    """Return an index of texts, whose ids are their places in the list."""
    x = model.encode(texts, convert_to_numpy=True)
    # Models of texts often have an offset, which a frame takes out: 50 texts or more tell it.
    frame = mf.Frame.fit(x) if len(x) >= 50 else None
    format = {4: "e2m1", 6: "e2m3", 8: "e3m4"}[bits]
    index = mf.Index.create(path, x.shape[1], format, frame=frame, errors=True)
    index.add(np.arange(len(x)), x)
    index.commit()
    return index


def nearest(
    model: SentenceTransformer, index: mf.Index, query: str, k: int, originals: object = None
) -> list[tuple[int, float]]:
    """Return places and cosines of the texts nearest to a query.

    originals: the float rows, an array that may be mapped. The answer is then that of float32.
    """
    vector = model.encode([query], convert_to_numpy=True)
    scores, ids = index.search(vector, k, originals=originals)
    return list(zip(ids[0].tolist(), scores[0].tolist(), strict=True))
