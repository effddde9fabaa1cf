"""Plans of the oldest generation, both ways."""

from __future__ import annotations

import pytest

from innkeeper.api.hathora.deployments_v1 import PLANS, plan_of
from innkeeper.contract.hathora.deployments_v1 import PlanName


@pytest.mark.parametrize(
    ("cpu", "memory_mb", "plan"),
    [
        (0.5, 1024, "tiny"),
        (0.1, 1, "tiny"),
        (0.5, 1024.5, "small"),
        (0.51, 512, "small"),
        (1, 2048, "small"),
        (1, 2049, "medium"),
        (1.5, 64, "medium"),
        (2, 4096, "medium"),
        (0.25, 8192, "large"),
        (4, 8192, "large"),
        (4, 8193, "large"),
        (64, 512, "large"),
    ],
)
def test_the_smallest_plan_that_holds_both_is_told(cpu: float, memory_mb: float, plan: str) -> None:
    assert plan_of(cpu, memory_mb) == plan


def test_every_plan_is_told_as_itself() -> None:
    assert set(PLANS) == set(PlanName)
    assert {plan: plan_of(*size) for plan, size in PLANS.items()} == {plan: plan for plan in PlanName}
