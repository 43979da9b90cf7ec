"""The router: which route wins, what path variables hold, and that the number of routes does not matter."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trine.apigateway.router import Router


def router(*routes: str, rest: bool = True) -> Router[str]:
    split = [key.split(" ", 1) if " " in key else ("ANY", key) for key in routes]
    return Router([(method, path, f"{method} {path}") for method, path in split], rest=rest)


def find(table: Router[str], method: str, path: str) -> str | None:
    match = table.match(method, path)
    return match.target if match else None


def test_literal_beats_named_beats_greedy() -> None:
    table = router("GET /pets/dog", "GET /pets/{id}", "GET /{proxy+}")
    assert find(table, "GET", "/pets/dog") == "GET /pets/dog"
    assert find(table, "GET", "/pets/cat") == "GET /pets/{id}"
    assert find(table, "GET", "/pets/cat/1") == "GET /{proxy+}"


def test_a_method_beats_any() -> None:
    table = router("ANY /x", "GET /x")
    assert find(table, "GET", "/x") == "GET /x"
    assert find(table, "PUT", "/x") == "ANY /x"


def test_any_covers_the_seven_methods_only() -> None:
    table = router("ANY /x")
    assert find(table, "HEAD", "/x") == "ANY /x"
    assert find(table, "PROPFIND", "/x") is None


def test_head_is_not_answered_by_get() -> None:
    assert find(router("GET /x"), "HEAD", "/x") is None


def test_a_node_without_the_method_falls_back_to_the_greedy_sibling() -> None:
    """Observed on AWS: OPTIONS /test reaches /{proxy+} though /test exists with POST."""
    table = router("POST /test", "ANY /test/any", "OPTIONS /{proxy+}")
    assert find(table, "POST", "/test") == "POST /test"
    assert find(table, "OPTIONS", "/test") == "OPTIONS /{proxy+}"
    assert find(table, "GET", "/test/any") == "ANY /test/any"


def test_a_dead_end_below_a_literal_falls_back() -> None:
    table = router("GET /part1/hardcoded", "GET /{param+}")
    assert find(table, "GET", "/part1/random") == "GET /{param+}"


def test_http_api_examples_of_the_developer_guide() -> None:
    table = router(
        "GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default", rest=False
    )
    assert find(table, "GET", "/pets/dog/1") == "GET /pets/dog/1"
    assert find(table, "GET", "/pets/dog/2") == "GET /pets/dog/{id}"
    assert find(table, "GET", "/pets/cat/1") == "GET /pets/{proxy+}"
    assert find(table, "POST", "/test/5") == "ANY /{proxy+}"
    assert find(table, "PROPFIND", "/test/5") == "ANY $default"


def test_http_apis_prefer_a_full_match_to_a_greedy_one() -> None:
    routes = ("GET /a/{proxy+}", "GET /{x}/{y}")
    assert find(router(*routes, rest=False), "GET", "/a/b") == "GET /{x}/{y}"
    assert find(router(*routes, rest=True), "GET", "/a/b") == "GET /a/{proxy+}"


def test_trailing_slashes() -> None:
    assert find(router("GET /x"), "GET", "/x/") == "GET /x"
    assert find(router("GET /x", rest=False), "GET", "/x/") is None
    assert find(router("GET /x/", rest=False), "GET", "/x/") == "GET /x/"
    assert find(router("GET /"), "GET", "/") == "GET /"
    assert find(router("GET /", rest=False), "GET", "/") == "GET /"


def test_path_variables() -> None:
    match = router("GET /u/{id}/o/{oid}").match("GET", "/u/a%2Fb/o/7")
    assert match is not None
    assert match.parameters == {"id": "a%2Fb", "oid": "7"}
    greedy = router("GET /f/{dir}/{proxy+}").match("GET", "/f/d/a//b/")
    assert greedy is not None
    assert greedy.parameters == {"dir": "d", "proxy": "a//b"}
    literal = router("GET /x").match("GET", "/x")
    assert literal is not None
    assert literal.parameters is None


def test_greedy_needs_something_to_eat() -> None:
    assert find(router("GET /f/{proxy+}"), "GET", "/f") is None
    assert find(router("GET /f/{proxy+}", rest=False), "GET", "/f/") is None


def test_an_encoded_literal_matches() -> None:
    assert find(router("GET /a b"), "GET", "/a%20b") == "GET /a b"


def test_endless_paths_are_refused_without_walking() -> None:
    assert find(router("GET /{proxy+}"), "GET", "/a" * 5_000) is None


def test_every_node_is_visited_once_however_hostile_the_path() -> None:
    """Named and literal siblings at each of 12 levels: 2^12 paths, found or not without delay."""
    routes = []
    for number in range(4_096):
        segments = ["a" if number >> bit & 1 else f"{{v{bit}}}" for bit in range(12)]
        routes.append("GET /" + "/".join(segments) + "/end")
    table = router(*routes)
    assert find(table, "GET", "/" + "a/" * 12 + "nowhere") is None
    assert find(table, "GET", "/" + "a/" * 12 + "end") == "GET /" + "a/" * 12 + "end"


@given(st.text(max_size=60), st.sampled_from(["GET", "POST", "X"]), st.booleans())
@settings(max_examples=300)
def test_any_path_is_answered(path: str, method: str, rest: bool) -> None:
    table = router("GET /a/{b}/c", "ANY /{proxy+}", "GET /", "POST /%/{x}", rest=rest)
    match = table.match(method, "/" + path)
    assert match is None or isinstance(match.target, str)


@given(st.lists(st.sampled_from(["a", "b", "{x}"]), min_size=1, max_size=5), st.booleans())
def test_a_route_finds_itself(segments: list[str], rest: bool) -> None:
    path = "/" + "/".join(segments)
    table = router(f"GET {path}", "GET /{proxy+}", rest=rest)
    assert find(table, "GET", path.replace("{x}", "value")) == f"GET {path}"
