"""The router, the table of statuses and the tally, each alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.api.faults import ROWS, fault_body, retry_after, said_in, status_for
from innkeeper.api.router import Router
from innkeeper.api.tally import BOUNDS, Tally
from innkeeper.contract.hathora import HATHORA
from innkeeper.kit import errors


@pytest.fixture
def router() -> Router[str]:
    made: Router[str] = Router()
    for template in (
        "/a/{x}",
        "/a/latest",
        "/a/{x}/b",
        "/a/latest/c",
        "/{any}/{x}/z",
        "/a/{x}/b/{y}",
        "/a/{x}:do",
        "/s:do",
    ):
        made.add("GET", template, template)
    made.add("POST", "/a/{x}", "post")
    return made


@pytest.mark.parametrize(
    ("path", "endpoint", "values"),
    [
        ("/a/1", "/a/{x}", ["1"]),
        ("/a/latest", "/a/latest", []),
        ("/a/latest/b", "/a/{x}/b", ["latest"]),  # back from a dead end
        ("/a/latest/c", "/a/latest/c", []),
        ("/a/q/z", "/{any}/{x}/z", ["a", "q"]),
        ("/a/1/", "/a/{x}", ["1"]),
        ("/a/x%2Fy/b/%C3%BC", "/a/{x}/b/{y}", ["x/y", "ü"]),
        ("/a/%2e%2e", "/a/{x}", [".."]),
        ("/a/%ZZ", "/a/{x}", ["%ZZ"]),
        ("/a/1:do", "/a/{x}:do", ["1"]),
        ("/a/1:do:do", "/a/{x}:do", ["1:do"]),
        ("/a/:do", "/a/{x}", [":do"]),
        ("/a/1:do/b", "/a/{x}/b", ["1:do"]),
        ("/s:do", "/s:do", []),
        ("/a", None, []),
        ("/a//b", None, []),
        ("/a/1/b/2/3", None, []),
        ("", None, []),
        ("/", None, []),
        ("*", None, []),
    ],
)
def test_paths_are_found(router: Router[str], path: str, endpoint: str | None, values: list[str]) -> None:
    found, got, methods = router.find("GET", path)
    assert (found, got, tuple(methods)) == (endpoint, values, ())


@pytest.mark.parametrize(
    ("path", "endpoint", "values"),
    [
        ("/images/a/tags", "all", ["a"]),
        ("/images/a/b/tags", "all", ["a/b"]),
        ("/images/a%2Fb/tags", "all", ["a/b"]),
        ("/images/a/b%2fc/tags/", "all", ["a/b/c"]),
        ("/images/a/tags/tags", "one", ["a", "tags"]),  # as its template says
        ("/images/a/tags/b/tags/1", "one", ["a/tags/b", "1"]),
        ("/images/a/b/tags/1.0", "one", ["a/b", "1.0"]),
        ("/images/a/../b/tags", "all", ["a/../b"]),  # for its handler to judge
        ("/images/a/b/tag", None, []),
        ("/images//tags", None, []),
        ("/images//a/tags", None, []),
    ],
)
def test_a_parameter_may_have_slashes(path: str, endpoint: str | None, values: list[str]) -> None:
    router: Router[str] = Router()
    router.add("GET", "/images/{name}/tags", "all", "name")
    router.add("GET", "/images/{name}/tags/{tag}", "one", "name")
    router.add("DELETE", "/images/{name}/tags/{tag}", "other", "name")
    assert router.find("GET", path)[:2] == (endpoint, values)


def test_a_wrong_method_tells_the_right_ones(router: Router[str]) -> None:
    found, values, methods = router.find("DELETE", "/a/1")
    assert (found, values, sorted(methods)) == (None, [], ["GET", "POST"])


def test_one_place_is_served_once(router: Router[str]) -> None:
    with pytest.raises(ValueError, match="twice"):
        router.add("GET", "/a/{other}", "again")


def test_every_operation_is_found_by_its_own_path() -> None:
    router: Router[str] = Router()
    for operation in HATHORA.operations():
        router.add(operation.method, operation.path, operation.id)
    for operation in HATHORA.operations():
        path, values = operation.path, []
        for parameter in operation.plan.path:
            path = path.replace(f"{{{parameter.wire}}}", f"v-{parameter.wire}")
            values.append(f"v-{parameter.wire}")
        assert router.find(operation.method, path) == (operation.id, values, ())


@given(st.text())
def test_no_path_breaks_the_router(path: str) -> None:
    made: Router[int] = Router()
    made.add("GET", "/{a}/{b}", 1)
    made.find("GET", path)


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HouseError)]


def made(kind: type[errors.HouseError]) -> errors.HouseError:
    return errors.RateLimited("slow down", 7.0) if kind is errors.RateLimited else kind("said")


@pytest.mark.parametrize("operation", HATHORA.operations(), ids=lambda operation: operation.id)
def test_a_refusal_takes_a_declared_status_where_one_fits(operation: object) -> None:
    declared = operation.errors  # type: ignore[attr-defined]
    for kind in KINDS[1:]:
        status = status_for(made(kind), declared)
        row = next(row for one, row in ROWS if issubclass(kind, one))
        assert 400 <= status < 600
        assert status in declared or not set(row) & set(declared)


def test_every_refusal_has_a_row() -> None:
    for kind in KINDS[1:]:
        assert any(issubclass(kind, one) for one, _ in ROWS), kind
    assert status_for(errors.HouseError("?"), ()) == 500
    # A subclass stands before its base, or it would never be found.
    order = [kind for kind, _ in ROWS]
    for at, kind in enumerate(order):
        assert not any(issubclass(later, kind) for later in order[at + 1 :])


@pytest.mark.parametrize(
    ("kind", "declared", "status"),
    [
        (errors.Taken, (400, 422), 400),
        (errors.Taken, (422,), 422),
        (errors.Invalid, (404,), 404),
        (errors.Invalid, (400, 422), 422),
        (errors.Unreadable, (400, 422), 400),
        (errors.LimitReached, (402, 422), 402),
        (errors.LimitReached, (422, 429), 429),
        (errors.Unavailable, (500,), 503),
        (errors.Gone, (404,), 404),
        (errors.NotFound, (401,), 401),
    ],
)
def test_the_table_of_statuses(kind: type[errors.HouseError], declared: tuple[int, ...], status: int) -> None:
    assert status_for(made(kind), declared) == status


@pytest.mark.parametrize(
    ("api", "text", "said"),
    [
        ("hathora", "there is no release 77", "there is no deployment 77"),
        ("hathora", "the build of this release was deleted: another release is needed",
         "the build of this deployment was deleted: another deployment is needed"),
        ("hathora", "there is no build my-release, or release-7", "there is no build my-release, or release-7"),
        ("house", "there is no release 77", "there is no release 77"),
    ],
)  # fmt: skip
def test_refusals_are_said_in_the_words_of_the_api(api: str, text: str, said: str) -> None:
    assert said_in(api, text) == said


def test_callers_are_told_when_to_come_back() -> None:
    assert retry_after(made(errors.RateLimited)) == 7.0
    assert retry_after(made(errors.Unavailable)) == 1.0
    assert retry_after(made(errors.NotFound)) is None
    assert fault_body('a "b"\n') == b'{"message":"a \\"b\\"\\n"}'


@settings(deadline=None)  # it measures nothing, and the machine may be busy
@given(
    st.lists(
        st.tuples(st.sampled_from("XY"), st.sampled_from("AB"), st.sampled_from([200, 404]), st.floats(0, 20)),
        max_size=30,
    )
)
def test_the_tally_counts_everything_once(requests: list[tuple[str, str, int, float]]) -> None:
    """Operations of one name, of two APIs, are two."""
    tally = Tally()
    for api, operation, status, seconds in requests:
        tally.add(api, operation, status, seconds)
    counter, histogram = tally.collect()
    counts = {tuple(sample.labels.values()): sample.value for sample in counter.samples}
    assert counts == {
        (api, name, str(code)): float(sum(r[:3] == (api, name, code) for r in requests))
        for api, name, code, _ in requests
    }
    for sample in histogram.samples:
        if sample.name.endswith("_bucket"):
            bound = float(sample.labels["le"])
            asked = (sample.labels["api"], sample.labels["operation"])
            expected = sum(seconds <= bound for *one, _, seconds in requests if tuple(one) == asked)
            assert sample.value == expected
    assert list(BOUNDS) == sorted(BOUNDS)
