"""The vector store does what LlamaIndex documents of one; it has no standard suite for them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minifloat as mf

core: Any = pytest.importorskip(
    "llama_index.core", reason="scripts/test --recipes llamaindex has LlamaIndex"
)
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)

from examples.recipes.llamaindex_store import MinifloatStore

COUNT, DIM = 24, 32
ROWS = np.random.default_rng(0).standard_normal((COUNT, DIM))


def nodes() -> list[Any]:
    return [
        TextNode(
            id_=f"node {i}",
            text=f"text {i}",
            embedding=ROWS[i].tolist(),
            metadata={"year": 2000 + i % 3, "city": "ab"[i % 2]},
            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"document {i // 8}")},
        )
        for i in range(COUNT)
    ]


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    path = str(tmp_path / "store") if request.param == "folder" else None
    store = MinifloatStore.create(DIM, path, columns={"year": "integer", "city": "text"})
    assert store.add(nodes()) == [f"node {i}" for i in range(COUNT)]
    yield store
    store.client.close()


def asked(store: Any, i: int, k: int = COUNT, **given: Any) -> Any:
    return store.query(VectorStoreQuery(ROWS[i].tolist(), similarity_top_k=k, **given))


def test_a_query_finds_the_nearest_nodes_as_they_were(store: Any) -> None:
    found = asked(store, 5, 3)
    assert found.ids[0] == "node 5"
    assert found.similarities[0] > 0.99
    assert found.similarities == sorted(found.similarities, reverse=True)
    (node, *_) = found.nodes
    assert (node.text, node.metadata) == ("text 5", {"year": 2002, "city": "b"})
    assert node.ref_doc_id == "document 0"


@pytest.mark.parametrize(
    ("operator", "value", "kept"),
    [
        (FilterOperator.EQ, 2001, [1]),
        (FilterOperator.NE, 2001, [0, 2]),
        (FilterOperator.GT, 2000, [1, 2]),
        (FilterOperator.LTE, 2001, [0, 1]),
        (FilterOperator.IN, [2000, 2002], [0, 2]),
        (FilterOperator.NIN, [2000, 2002], [1]),
        (FilterOperator.IS_EMPTY, None, []),
    ],
)
def test_filters_compare_metadata(store: Any, operator: Any, value: Any, kept: list[int]) -> None:
    filters = MetadataFilters(filters=[MetadataFilter(key="year", value=value, operator=operator)])
    expected = {f"node {i}" for i in range(COUNT) if i % 3 in kept}
    assert {*asked(store, 0, filters=filters).ids} == expected
    assert {node.node_id for node in store.get_nodes(filters=filters)} == expected


def test_filters_are_joined_and_negated(store: Any) -> None:
    year = MetadataFilter(key="year", value=2000)
    city = MetadataFilter(key="city", value="a")
    for joined, kept in (
        (FilterCondition.AND, lambda i: i % 3 == 0 and i % 2 == 0),
        (FilterCondition.OR, lambda i: i % 3 == 0 or i % 2 == 0),
        (FilterCondition.NOT, lambda i: not (i % 3 == 0 and i % 2 == 0)),
    ):
        filters = MetadataFilters(filters=[year, city], condition=joined)
        assert {*asked(store, 0, filters=filters).ids} == {
            f"node {i}" for i in range(COUNT) if kept(i)
        }
    wrong = MetadataFilter(key="city", value="a", operator=FilterOperator.TEXT_MATCH)
    filters = MetadataFilters(filters=[wrong])
    with pytest.raises(ValueError, match="got 'text_match'"):
        asked(store, 0, filters=filters)
    filters = MetadataFilters(filters=[MetadataFilter(key="year = 0 OR 1", value=1)])
    with pytest.raises(ValueError, match="must be names of columns"):
        store.delete_nodes(filters=filters)
    assert len(store.get_nodes()) == COUNT


def test_documents_and_nodes_are_chosen_replaced_and_removed(store: Any) -> None:
    assert {*asked(store, 0, doc_ids=["document 1"]).ids} == {f"node {i}" for i in range(8, 16)}
    assert {*asked(store, 0, node_ids=["node 3", "node 4"]).ids} == {"node 3", "node 4"}
    assert asked(store, 0, node_ids=["node 3", "gone"]).ids == ["node 3"]
    assert asked(store, 0, node_ids=["gone"]).ids == []
    every = MetadataFilters(filters=[])
    assert len(asked(store, 0, filters=every).ids) == len(store.get_nodes(filters=every)) == COUNT
    replaced = nodes()[0]
    replaced.text = "another"
    assert store.add([nodes()[0], replaced]) == ["node 0", "node 0"]
    assert asked(store, 0, 1).nodes[0].text == "another"
    store.delete("document 0")
    assert {node.ref_doc_id for node in store.get_nodes()} == {"document 1", "document 2"}
    store.delete_nodes(["node 8", "node 9"])
    assert len(store.get_nodes()) == 14
    store.clear()
    assert asked(store, 0).ids == []


def test_a_retriever_finds_documents_and_a_folder_keeps_them(tmp_path: Path) -> None:
    path = str(tmp_path / "store")
    store = MinifloatStore.create(DIM, path)
    embed = core.MockEmbedding(embed_dim=DIM)
    context = core.StorageContext.from_defaults(vector_store=store)
    core.VectorStoreIndex.from_documents(
        [core.Document(text=f"text {i}") for i in range(5)],
        storage_context=context,
        embed_model=embed,
    )
    store.client.close()
    again = MinifloatStore(mf.Index.open(path))
    index = core.VectorStoreIndex.from_vector_store(again, embed_model=embed)
    assert len(index.as_retriever(similarity_top_k=3).retrieve("text")) == 3
    again.client.close()
