"""A vector store of LangChain over an index, in a folder or in memory.

Metadata is kept as JSON. Keys that are columns of the index are kept there too, and can be filtered
by: a dict of values, or a condition of SQL.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

import minifloat as mf

Filter = dict[str, Any] | str | tuple[str, list[Any]]
OURS = {"text": "text", "metadata": "text"}


class MinifloatStore(VectorStore):
    """Documents by their ids, with vectors in few bits."""

    def __init__(self, embedding: Embeddings, index: mf.Index) -> None:
        self._embedding = embedding
        self.index = index

    @classmethod
    def create(
        cls,
        embedding: Embeddings,
        path: str | None = None,
        *,
        format: str = "e3m4",
        columns: dict[str, str] | None = None,
        **how: Any,
    ) -> "MinifloatStore":
        """Return an empty store; columns are the metadata to filter by, with their types."""
        dim = len(embedding.embed_query("dim"))
        index = mf.Index.create(path, dim, format, columns=OURS | (columns or {}), **how)
        return cls(embedding, index)

    @property
    def embeddings(self) -> Embeddings:
        return self._embedding

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add or replace documents, and commit; return their ids."""
        found = list(texts)
        told = metadatas or [{} for _ in found]
        names = [id or str(uuid.uuid4()) for id in ids or [None] * len(found)]
        # Of an id that is there twice the last counts.
        last = list({name: i for i, name in enumerate(names)}.values())
        if last:
            vectors = np.asarray(self._embedding.embed_documents([found[i] for i in last]))
            columns: dict[str, list[Any]] = {
                name: [told[i].get(name) for i in last] for name in self.index.columns
            }
            columns |= {
                "text": [found[i] for i in last],
                "metadata": [json.dumps(told[i]) for i in last],
            }
            self.index.upsert([names[i] for i in last], vectors, **columns)
            self.index.commit()
        return names

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Remove documents by id, or all of them; ids that are not there are no error."""
        if ids is None:
            self.index.clear()
        else:
            self.index.remove(ids, missing="ignore")
        self.index.commit()
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents of those ids that are there."""
        there = [id for id in ids if id in self.index]
        return self._documents(there) if there else []

    def similarity_search_with_score_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None
    ) -> list[tuple[Document, float]]:
        """Return the k nearest documents with their cosines."""
        if not len(self.index):
            return []
        scores, ids = self.index.search(np.asarray([embedding]), k, where=_condition(filter))
        there = [i for i, id in enumerate(ids[0]) if id is not None]
        documents = self._documents([ids[0][i] for i in there])
        return [(one, float(scores[0, i])) for one, i in zip(documents, there, strict=True)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        vector = self._embedding.embed_query(query)
        return self.similarity_search_with_score_by_vector(vector, k, filter)

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        found = self.similarity_search_with_score_by_vector(embedding, k, filter)
        return [document for document, _ in found]

    def similarity_search(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        return [document for document, _ in self.similarity_search_with_score(query, k, filter)]

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> "MinifloatStore":
        store = cls.create(embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def _select_relevance_score_fn(self) -> Any:
        return lambda score: (1 + score) / 2

    def _documents(self, ids: list[str]) -> list[Document]:
        if not ids:
            return []
        columns = self.index.get(ids).columns
        rows = zip(ids, columns["text"], columns["metadata"], strict=True)
        return [Document(id=id, page_content=text, metadata=json.loads(m)) for id, text, m in rows]


def _condition(filter: Filter | None) -> str | tuple[str, list[Any]] | None:
    if not isinstance(filter, dict):
        return filter
    if not filter:
        return None
    for name in filter:
        # A name is a part of the condition itself, and may come from a model or a user.
        if not name.isidentifier():
            raise ValueError(f"a filter's keys must be names of columns; got {name!r}")
    return " AND ".join(f"{name} = ?" for name in filter), list(filter.values())
