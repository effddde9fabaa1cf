"""Configurations of a managed matchmaker, as their owners write them, and what a ticket may say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from innkeeper.api.edgegap.matchmaker_rules import read_rules
from innkeeper.kit.errors import Invalid
from innkeeper.matchmaking.rules import Choice, Loosened, Profile, Span, Tolerance, chosen, measured
from inns import REPOSITORY

MODE: dict[str, Any] = {
    "key": "mode", "name": "Mode", "default": "casual", "required": False, "inject_env": True,
    "items": ["casual", "ranked"],
}  # fmt: skip
SCORE: dict[str, Any] = {
    "key": "score", "minimum": 0.0, "maximum": 2000.0, "difference": {"negative": 20.0, "positive": 40.0},
}  # fmt: skip
PROFILE: dict[str, Any] = {
    "profile_id": "duel", "name": "Duel", "app": "game", "version": "v1", "game_port": "7777", "delay_to_start": 2,
    "refresh": 5, "match_player_count": 2, "selectors": [MODE], "filters": [SCORE],
}  # fmt: skip


def configuration(**profile: Any) -> str:
    return json.dumps({"auth": {"type": "NoAuth"}, "profiles": [{**PROFILE, **profile}]})


@pytest.mark.parametrize(
    ("field", "most"),
    [
        ("selectors", [{"key": str(at)} for at in range(101)]),
        ("filters", [{"key": str(at), "difference": 1} for at in range(101)]),
        ("expansions", {str(at): {} for at in range(101)}),
    ],
)
def test_a_profile_has_no_more_of_anything_than_a_person_writes(field: str, most: Any) -> None:
    with pytest.raises(Invalid, match=rf"^configuration: profiles\[0\]\.{field}: "):
        read_rules(configuration(**{field: most}))


def test_a_configuration_of_the_vendors_is_read_whole() -> None:
    rules = read_rules(configuration())
    assert rules.guard is None
    assert rules.profiles == (
        Profile(
            "duel", 2, app="game", label="v1", port="7777", every=5, pause=2,
            choices=(Choice("mode", ("casual", "ranked"), "casual", told=True),),
            spans=(Span("score", Tolerance(20, 40), 0, 2000),),
        ),
    )  # fmt: skip


def test_what_is_ours_beside_it() -> None:
    rules = read_rules(
        json.dumps(
            {
                "auth": {"type": "Token", "configuration": {"token": "alohomora"}},
                "max_deployment_retry_count": 0,
                "profiles": [
                    {
                        "profile_id": "p", "match_player_count": 4, "game_port": 7777,
                        "filters": [{"key": "score", "difference": 10, "default": 5}],
                        "expansions": {"60": {"filters": {"score": 100}}, "7.5": {"match_player_count": 2}},
                        "ticket_expiration_period": "1h30m", "ticket_removal_period": "90s",
                    }
                ],
            }
        )
    )  # fmt: skip
    profile = rules.profiles[0]
    assert (rules.guard, profile.tries, profile.patience, profile.kept, profile.port) == (
        "alohomora",
        1,
        5400,
        90,
        "7777",
    )
    assert profile.spans == (Span("score", Tolerance(10, 10), fallback=5),)
    assert profile.loosened == (Loosened(7.5, 2), Loosened(60, tolerances={"score": Tolerance(100, 100)}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "configuration: is not JSON: "),
        ("[]", "configuration: must be an object, not a list"),
        ("{}", "configuration: profiles: is required"),
        ('{"profiles": []}', "configuration: profiles: must have at least 1 entries"),
        (configuration(rules=1), "configuration: profiles[0]: "),
        (configuration(match_player_count=0), "configuration: profiles[0].match_player_count: must be at least 1"),
        (configuration(selectors=[{"key": "mode", "item": []}]), "configuration: profiles[0].selectors[0]: "),
        (configuration(filters=[{"key": "score"}]), "configuration: profiles[0].filters[0].difference: is required"),
        (configuration(filters=[SCORE, SCORE]), "configuration: profiles[0].filters: the key score stands there twice"),
        (
            configuration(filters=[{**SCORE, "default": -1}]),
            "configuration: profiles[0].filters[0].default: must be from the minimum to the maximum",
        ),
        (
            configuration(filters=[{**SCORE, "minimum": 3000}]),
            "configuration: profiles[0].filters[0].minimum: must not be above the maximum",
        ),
        (
            configuration(selectors=[{**MODE, "default": "x"}]),
            "configuration: profiles[0].selectors[0].default: must be one of its items",
        ),
        (
            configuration(expansions={"soon": {}}),
            "configuration: profiles[0].expansions: 'soon' must be how many seconds somebody has waited",
        ),
        (
            configuration(expansions={"5": {"filters": {"elo": 1}}}),
            "configuration: profiles[0].expansions[5].filters: the profile has no filter elo",
        ),
        (
            configuration(expansions={"5": {"match_player_count": 3}}),
            "configuration: profiles[0].expansions[5].match_player_count: must not be above that of the profile",
        ),
        (
            configuration(ticket_expiration_period="soon"),
            "configuration: profiles[0].ticket_expiration_period: must be a length of time such as 90s, 5m or 1h30m",
        ),
        (
            json.dumps({"profiles": [PROFILE, PROFILE]}),
            "configuration: profiles: the profile_id duel stands there twice",
        ),
        (
            json.dumps({"profiles": [PROFILE], "auth": {"type": "Token"}}),
            "configuration: auth.configuration.token: is required where auth.type is Token",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(text: str, expected: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_rules(text)
    assert str(refused.value).startswith(expected)


DUEL = read_rules(configuration()).profiles[0]
STRICT = read_rules(
    configuration(selectors=[{**MODE, "required": True}], filters=[{**SCORE, "required": True}])
).profiles[0]


def test_what_a_player_says_counts_or_what_stands_for_it() -> None:
    assert (chosen(DUEL, {}), chosen(DUEL, {"mode": "ranked"})) == ({"mode": "casual"}, {"mode": "ranked"})
    assert (measured(DUEL, {}), measured(DUEL, {"score": 7})) == ({}, {"score": 7})


@pytest.mark.parametrize(
    ("profile", "choices", "numbers", "expected"),
    [
        (DUEL, {"map": "x"}, {}, "map: the profile duel does not ask for it; it asks for mode"),
        (DUEL, {"mode": "x"}, {}, "mode: is one of casual, ranked, not 'x'"),
        (DUEL, {}, {"elo": 1}, "elo: the profile duel does not ask for it; it asks for score"),
        (DUEL, {}, {"score": -1}, "score: is at least 0, not -1"),
        (DUEL, {}, {"score": 2001}, "score: is at most 2000, not 2001"),
        (STRICT, {}, {"score": 1}, "mode: is required by the profile duel"),
        (STRICT, {"mode": "casual"}, {}, "score: is required by the profile duel"),
    ],
)
def test_what_a_player_may_not_say(
    profile: Profile, choices: dict[str, str], numbers: dict[str, float], expected: str
) -> None:
    with pytest.raises(Invalid) as refused:
        _ = chosen(profile, choices), measured(profile, numbers)
    assert str(refused.value) == expected


def test_the_configuration_of_the_page_is_one() -> None:
    page = (REPOSITORY / "docs/how-to/matchmaking.md").read_text()
    text = page.partition("```json\n")[2].partition("```")[0]
    rules = read_rules(text)
    assert [step.after for step in rules.profiles[0].loosened] == [30, 60]
