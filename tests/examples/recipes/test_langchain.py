"""The vector store passes LangChain's own standard suite."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import minifloat as mf

pytest.importorskip("langchain_core", reason="scripts/test --recipes langchain has LangChain")
suite: Any = pytest.importorskip(
    "langchain_tests.integration_tests.vectorstores",
    reason="scripts/test --recipes langchain has the suite",
)

from examples.recipes.langchain_store import MinifloatStore


class TestStandard(suite.VectorStoreIntegrationTests):
    @pytest.fixture(params=["memory", "folder"])
    def vectorstore(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
        path = str(tmp_path / "store") if request.param == "folder" else None
        store = MinifloatStore.create(self.get_embeddings(), path)
        yield store
        store.index.close()


def test_documents_are_filtered_by_columns_and_there_after_a_restart(tmp_path: Path) -> None:
    embedding = suite.VectorStoreIntegrationTests.get_embeddings()
    path = str(tmp_path / "store")
    store = MinifloatStore.create(embedding, path, columns={"year": "integer"})
    texts = [f"text {i}" for i in range(20)]
    told = [{"year": 2000 + i % 2, "of": [i]} for i in range(20)]
    store.add_texts(texts, told, ids=[f"id {i}" for i in range(20)])
    found = store.similarity_search("text 4", k=20, filter={"year": 2000})
    assert {document.id for document in found} == {f"id {i}" for i in range(0, 20, 2)}
    assert found[0].page_content == "text 4"
    assert found[0].metadata == {"year": 2000, "of": [4]}
    assert len(store.similarity_search("text 4", k=20, filter="year > 2000")) == 10
    assert len(store.similarity_search("text 4", k=20, filter={})) == 20
    with pytest.raises(ValueError, match="must be names of columns"):
        store.similarity_search("text 4", filter={"year = 0 OR 1": 1})
    store.index.close()
    again = MinifloatStore(embedding, mf.Index.open(path))
    ((document, score),) = again.similarity_search_with_score("text 5", k=1)
    assert (document.id, score > 0.99) == ("id 5", True)
    again.index.close()
