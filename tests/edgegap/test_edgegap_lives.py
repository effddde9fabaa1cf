"""A whole life through Edgegap's API, by a client that is made of the vendor's document and by our SDK, sync and async.

Against a real Innkeeper that runs real programs. Every operation is called that is served.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from contract.vendor import needs_specs
from innkeeper.sdk import AsyncEdgegap, Edgegap
from innkeeper.settings import FILE
from inns import RunningInn
from registry import PASSWORD, USER, Registry

from . import life, life_more, life_sessions
from .drivers import OPERATIONS, ByGenerated, ByOurs, Do
from .generated import DOCUMENT, Generated

#: Operations that no client can be made for of the vendor's first document, and why.
NOT_GENERATED = {
    "deployment-create": "of V2, which has a document of its own",
    "private-fleets-deployment-create": "of V2, which has a document of its own",
    "private-fleet-hosts-list": "of V2, which has a document of its own",
    "ticket-create": "each matchmaker of the vendor's has a host of its own, with a document of its own",
    "ticket-get": "each matchmaker of the vendor's has a host of its own, with a document of its own",
    "ticket-delete": "each matchmaker of the vendor's has a host of its own, with a document of its own",
}
#: Fields of ours beside the document's: every list tells how long it is and where the page stands.
ADDED = {
    "EndpointStorageListResponse.total_count", "FleetList.total_count", "HorizontalScalerConstraintList.total_count",
    "LocationBeaconList.pagination", "RegistryImageTagListResponse200.pagination",
    "RegistryImageTagListResponse200.total_count",
}  # fmt: skip
#: Of the success of these the document does not say what it holds.
UNTOLD = {
    "application-delete", "deployment-report", "delete-matchmaker", "delete-matchmaker-component",
    "delete-matchmaker-component-env", "delete-matchmaker-managed-release", "delete-matchmaker-release",
    "delete-matchmaker-release-config",
}  # fmt: skip


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    return Generated(tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry(deleting=True) as opened:
        yield opened


@pytest.fixture
def inn(registry: Registry) -> Iterator[RunningInn]:
    inn = RunningInn(measure_seconds=0.5)
    inn.data.mkdir()
    table = {"url": registry.address, "project": "studio", "username": USER, "password": PASSWORD}
    lines = [f'{name} = "{value}"' for name, value in table.items()]
    (inn.data / FILE).write_text("\n".join(["[[registries]]", *lines, ""]))
    for tag in "123":
        registry.put("studio/game", tag, text=tag)
    try:
        inn.start()
        yield inn
        assert "Traceback" not in inn.log, inn.log
    finally:
        inn.end()


async def live(do: Do) -> None:
    """All of it."""
    build = life.a_build(do)
    await life.an_app(do, build)
    await life.access(do)
    request_id = await life.a_deployment(do)
    await life.measurements(do, request_id)
    await life.the_end(do, request_id)
    await life_sessions.sessions(do)
    await life.storages(do)
    await life.fleets(do)
    await life_more.components(do)
    await life_more.a_managed_matchmaker(do)
    await life_more.images(do)
    await life_more.the_second_version(do)
    await life.cleaning(do)


@pytest.fixture
async def by_generated(generated: Generated, inn: RunningInn) -> AsyncIterator[ByGenerated]:
    do = ByGenerated(generated, inn)
    yield do
    await do.close()


@needs_specs
async def test_a_client_made_of_the_vendors_document_lives(by_generated: ByGenerated) -> None:
    await live(by_generated)
    assert by_generated.walked == OPERATIONS.keys() - NOT_GENERATED.keys()
    assert by_generated.lost == set()
    assert by_generated.strangers == ADDED
    assert by_generated.untold == UNTOLD


@pytest.mark.parametrize("clients", [Edgegap, AsyncEdgegap])
async def test_our_own_client_lives(clients: type[Edgegap] | type[AsyncEdgegap], inn: RunningInn) -> None:
    do = ByOurs(clients, inn)
    try:
        await live(do)
    finally:
        await do.close()
    assert do.walked == OPERATIONS.keys()


@needs_specs
def test_the_generator_makes_all_of_the_document(generated: Generated) -> None:
    paths = json.loads(DOCUMENT.read_text())["paths"]
    there = {(method.upper(), path) for path, item in paths.items() for method in item if method != "parameters"}
    assert {place for place in there if place not in generated} == set()
    assert len(generated) == len(there)
    assert "WARNING" not in generated.said
    served = {id: (operation.method, operation.path) for id, operation in OPERATIONS.items()}
    assert {id for id in served if served[id] not in generated} == NOT_GENERATED.keys()
