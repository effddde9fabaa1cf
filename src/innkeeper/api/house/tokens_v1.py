"""Tokens that an admin makes for others. Declared in ``contract/house/tokens_v1.py``."""

from __future__ import annotations

from msgspec import UnsetType

from innkeeper.accounts.scopes import Grant
from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.tokens_v1 import NewTokenFor, TokenFor, TokensV1
from innkeeper.contract.shape import GLOBAL


@implements(TokensV1.create_token_for)
async def create_token_for(visit: Visit, params: NewTokenFor, org_id: str = GLOBAL) -> TokenFor:
    grant = None if isinstance(params.scopes, UnsetType) else Grant.of(params.scopes)
    done = await visit.wings.vouching.token_for(visit.caller, params.user_email, params.name, grant)
    token = done.made.token
    return TokenFor(
        org_token_id=token.id,
        org_id=token.org_id,
        name=token.name,
        user_email=token.created_by,
        scopes=list(token.grant.scopes),
        joined=done.joined,
        token=done.made.plain,
    )
