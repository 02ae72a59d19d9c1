"""Parameters of a query that are misspelt or given twice: refused where they would be passed over."""

import pytest

MISSPELT = [
    ("GET", "/v1/streams?limt=5", "after, limit"),
    ("GET", "/v1/streams/cam?since=3", "none"),
    ("GET", "/v1/streams/cam/moments?since=3", "after, limit, until"),
    ("GET", "/v1/streams/cam/summary?form=60", "most, since, timezone, until"),
    ("GET", "/v1/streams/cam/summary?Since=60", "most, since, timezone, until"),
    ("GET", "/v1/streams/cam/digest?date=2026-11-27", "day, most, timezone"),
    ("GET", "/v1/streams/cam/timeline?count=3", "since, slices, until"),
    ("GET", "/v1/streams/cam/clip?since=0&until=1&to=2", "since, until"),
    ("GET", "/v1/search?q=dog&since=3", "after, before, limit, q, streams"),
    ("GET", "/v1/watches/events?since=3", "after, limit, watch"),
    ("POST", "/v1/ask?since=3", "none"),
]


@pytest.mark.parametrize(("method", "path", "takes"), MISSPELT)
async def test_a_parameter_that_nobody_knows_is_refused_with_those_that_there_are(
    service, method, path, takes
):
    await service.remember()
    async with service.client() as client:
        response = await client.request(method, path, json={"question": "Who?"})
    assert response.status_code == 422
    assert response.json()["detail"].endswith(f"no parameter of this {method}, which takes {takes}")


async def test_a_misspelt_range_forgets_nothing(service):
    await service.remember(clips=2)
    async with service.client() as client:
        for query in ("sinse=4", "since=0&since=4", "until=4&From=2"):
            refused = await client.delete(f"/v1/streams/cam?{query}")
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["place"][0] == "query"
        moments = (await client.get("/v1/streams/cam/moments")).json()["moments"]
    assert len(moments) == 2


async def test_lists_may_be_repeated_and_tickets_stand_in_any_query(service):
    async with service.client() as client:
        found = await client.get("/v1/search?q=x&streams=a&streams=b&ticket=t")
    assert found.status_code == 409, "past the query: the small model of the tests knows no words"


async def test_every_parameter_that_the_interface_names_is_known(service):
    async with service.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
        for path, methods in paths.items():
            for method, operation in methods.items():
                named = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
                query = dict.fromkeys(named, "x" * 300)  # nothing that is done
                at = path.replace("{stream}", "cam")
                answer = await client.request(method, at, params=query)
                assert "no parameter of this" not in answer.text, (path, named)


@pytest.mark.parametrize("path", ["/health?t=1", "/ready?x=1", "/v1/models?api-version=1", "/?v=2"])
async def test_what_probes_pages_and_other_peoples_clients_add_is_passed_over(service, path):
    async with service.client() as client:
        assert (await client.get(path)).status_code == 200


async def test_a_picture_may_be_asked_for_anew(service):
    await service.remember()
    async with service.client() as client:
        newest = await client.get("/v1/streams/cam/thumbnails/newest.jpg?_=1764316800")
    assert newest.status_code == 200
