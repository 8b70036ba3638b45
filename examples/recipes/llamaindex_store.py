"""A vector store of LlamaIndex over an index, in a folder or in memory.

Nodes are kept as JSON. Metadata whose keys are columns of the index can be filtered by.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryResult,
)
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

import minifloat as mf

Condition = tuple[str, list[Any]]
OURS = {"document": "text indexed", "node": "text"}


class MinifloatStore(BasePydanticVectorStore):
    """Nodes by their ids, with vectors in few bits."""

    stores_text: bool = True
    _index: mf.Index = PrivateAttr()

    def __init__(self, index: mf.Index) -> None:
        super().__init__(stores_text=True)
        self._index = index

    @classmethod
    def create(
        cls,
        dim: int,
        path: str | None = None,
        *,
        format: str = "e3m4",
        columns: dict[str, str] | None = None,
        **how: Any,
    ) -> "MinifloatStore":
        """Return an empty store; columns are the metadata to filter by, with their types."""
        return cls(mf.Index.create(path, dim, format, columns=OURS | (columns or {}), **how))

    @property
    def client(self) -> mf.Index:
        return self._index

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Add or replace nodes, and commit; return their ids."""
        names = [node.node_id for node in nodes]
        # Of an id that is there twice the last counts.
        nodes = list({node.node_id: node for node in nodes}.values())
        if not nodes:
            return []
        columns: dict[str, list[Any]] = {
            name: [node.metadata.get(name) for node in nodes] for name in self._index.columns
        }
        columns |= {
            "document": [node.ref_doc_id for node in nodes],
            "node": [json.dumps(node_to_metadata_dict(node)) for node in nodes],
        }
        ids = [node.node_id for node in nodes]
        vectors = np.asarray([node.get_embedding() for node in nodes])
        self._index.upsert(ids, vectors, **columns)
        self._index.commit()
        return names

    def delete(self, ref_doc_id: str, **kwargs: Any) -> None:
        """Remove the nodes of a document."""
        self._index.remove(where=("document = ?", [ref_doc_id]))
        self._index.commit()

    def delete_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **kwargs: Any,
    ) -> None:
        """Remove nodes by id, and those that filters let through."""
        self._index.remove([node.node_id for node in self.get_nodes(node_ids, filters)])
        self._index.commit()

    def clear(self) -> None:
        self._index.clear()
        self._index.commit()

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """Return nodes by id, those that filters let through, or both."""
        where = condition(filters) if filters and filters.filters else "TRUE"
        found = self._index.get(where=where)
        wanted = None if node_ids is None else {*node_ids}
        pairs = zip(found.ids, found.columns["node"], strict=True)
        return [_node(text) for id, text in pairs if wanted is None or id in wanted]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Return the nearest nodes with their cosines."""
        if not len(self._index):
            return VectorStoreQueryResult([], [], [])
        if query.query_embedding is None:
            raise ValueError("a query must have an embedding: this store looks for no words")
        filters = query.filters
        where = condition(filters) if filters and filters.filters else None
        if query.doc_ids:
            marks = ", ".join("?" * len(query.doc_ids))
            where = _joined(
                [(f"document IN ({marks})", query.doc_ids), *([where] if where else [])]
            )
        k = query.similarity_top_k
        vectors = np.asarray([query.query_embedding])
        only = [id for id in query.node_ids or [] if id in self._index]
        if query.node_ids and not only:
            return VectorStoreQueryResult([], [], [])
        scores, ids = self._index.search(vectors, k, where=where, only=only or None)
        there = [i for i, id in enumerate(ids[0]) if id is not None]
        names = [ids[0][i] for i in there]
        texts = self._index.get(names).columns["node"] if names else []
        return VectorStoreQueryResult(
            [_node(text) for text in texts], [float(scores[0, i]) for i in there], names
        )


def condition(filters: MetadataFilters) -> Condition:
    """Return filters as a condition of SQL over the columns."""
    parts = [
        condition(one) if isinstance(one, MetadataFilters) else _compared(one)
        for one in filters.filters
    ]
    if filters.condition == FilterCondition.NOT:
        text, values = _joined(parts)
        return f"NOT ({text})", values
    return _joined(parts, "OR" if filters.condition == FilterCondition.OR else "AND")


def _joined(parts: list[Condition], by: str = "AND") -> Condition:
    text = f" {by} ".join(f"({part})" for part, _ in parts)
    return text, [value for _, values in parts for value in values]


def _compared(one: MetadataFilter) -> Condition:
    operators = {"==": "=", "!=": "<>", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
    # A key is a part of the condition itself, and may come from a model or a user.
    if not one.key.isidentifier():
        raise ValueError(f"a filter's keys must be names of columns; got {one.key!r}")
    if one.operator in (FilterOperator.IN, FilterOperator.NIN):
        values = list(one.value) if isinstance(one.value, list) else [one.value]
        word = "IN" if one.operator == FilterOperator.IN else "NOT IN"
        return f"{one.key} {word} ({', '.join('?' * len(values))})", values
    if one.operator == FilterOperator.IS_EMPTY:
        return f"{one.key} IS NULL", []
    if one.operator.value not in operators:
        raise ValueError(f"filters compare, or look into lists; got {one.operator.value!r}")
    return f"{one.key} {operators[one.operator.value]} ?", [one.value]


def _node(text: str) -> BaseNode:
    return metadata_dict_to_node(json.loads(text))
