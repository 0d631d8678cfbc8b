"""A model that ranks: the real llama.cpp, asked to rank, behind both routes."""

import pytest

from tests.instances.router.installation import Installation

pytestmark = pytest.mark.processes
DOCUMENTS = ["a place of the world", "rain and more rain", "new number"]


@pytest.fixture(scope="module")
def ranker(installation: Installation) -> str:
    return installation.create("ranker", reranking=True)


@pytest.mark.parametrize("path", ["/v1/rerank", "/v1/reranking", "/api/v1/instances/ranker/proxy/v1/rerank"])
def test_documents_are_ranked(installation: Installation, ranker: str, path: str) -> None:
    with installation.http() as client:
        answer = client.post(path, json={"model": ranker, "query": "rain", "documents": DOCUMENTS, "top_n": 3})
    assert answer.status_code == 200, answer.text
    rows = answer.json()["results"]
    assert sorted(row["index"] for row in rows) == [0, 1, 2]
    scores = [row["relevance_score"] for row in rows]
    assert all(isinstance(score, float) for score in scores)
    assert answer.json()["usage"]["total_tokens"] > 0


def test_what_cannot_be_ranked_is_refused_in_its_words(installation: Installation, ranker: str) -> None:
    with installation.http() as client:
        answer = client.post("/v1/rerank", json={"model": ranker, "query": "rain"})
    assert (answer.status_code, "documents" in answer.text) == (400, True), answer.text
