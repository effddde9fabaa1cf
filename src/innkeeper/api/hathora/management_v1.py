"""Proof of people's addresses. Declared in ``contract/hathora/management_v1.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.management_v1 import ManagementV1, VerificationEmailRequest, VerificationEmailSuccess


@implements(ManagementV1.send_verification_email)
async def send_verification_email(visit: Visit, params: VerificationEmailRequest) -> VerificationEmailSuccess:
    visit.wings.rates.login(visit.client_ip)
    await visit.wings.verifying.ask(params.user_id)
    return VerificationEmailSuccess.SUCCESS
