"""Tokens of organisations. Declared in ``contract/hathora/tokens_v1.py``."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from innkeeper.accounts.model import Token
from innkeeper.accounts.scopes import Grant, Role
from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.tokens_v1 import (
    CreatedOrgToken,
    CreateOrgToken,
    ListOrgTokens,
    OrgToken,
    OrgTokenStatus,
    TokensV1,
)
from innkeeper.contract.hathora.words import Scope
from innkeeper.contract.shape import GLOBAL
from innkeeper.kit.stamps import moment


def token_data(token: Token) -> OrgToken:
    """A token as Hathora tells it, without its secret."""
    return OrgToken(
        org_token_id=token.id,
        org_id=token.org_id,
        name=token.name,
        status=OrgTokenStatus.ACTIVE if token.active else OrgTokenStatus.REVOKED,
        scopes=UNSET if token.grant.role is Role.ADMIN else [Scope(scope) for scope in token.grant.scopes],
        last_four_chars_of_key=token.last_four,
        created_at=moment(token.created_at),
        created_by=token.created_by,
    )


@implements(TokensV1.create_org_token)
async def create_org_token(visit: Visit, params: CreateOrgToken, org_id: str = GLOBAL) -> CreatedOrgToken:
    scopes = params.scopes
    grant = None if isinstance(scopes, str | UnsetType) else Grant.of(scope.value for scope in scopes)
    made = await visit.wings.tokens.create(visit.caller, params.name, grant)
    return CreatedOrgToken(org_token=token_data(made.token), plain_text_token=made.plain)


@implements(TokensV1.get_org_tokens)
async def get_org_tokens(visit: Visit, org_id: str = GLOBAL) -> ListOrgTokens:
    return ListOrgTokens(tokens=[token_data(token) for token in await visit.wings.tokens.list(visit.org)])


@implements(TokensV1.revoke_org_token)
async def revoke_org_token(visit: Visit, org_token_id: str, org_id: str = GLOBAL) -> bool:
    await visit.wings.tokens.revoke(visit.caller, org_token_id)
    return True
