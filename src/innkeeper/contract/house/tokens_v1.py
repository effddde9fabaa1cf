"""Tokens that an admin makes for others. Declared here, answered in ``api/house/tokens_v1.py``."""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, UnsetType, checked

from . import operation


class NewTokenFor(Camel):
    """Whose token it shall be, and what it may do."""

    name: Annotated[str, checked(min_length=1, max_length=64)]  #: new among the organisation's active tokens
    user_email: str  #: of a member, or of somebody who is invited
    scopes: list[str] | UnsetType = UNSET  #: such as `builds:read`; all that their membership allows when left out


class TokenFor(Camel):
    """A new token. Its secret is in this answer and in no other."""

    org_token_id: str
    org_id: str
    name: str
    user_email: str  #: the person it acts as
    scopes: list[str]  #: what it may do
    joined: bool  #: whether the person was invited until now, and is a member from now on
    token: str


class TokensV1(Resource[M]):
    """Tokens that an admin makes for others: how a person who has none comes by a first one."""

    @operation(
        "POST", "/house/v1/orgs/{orgId}/tokens", status=201, recorded=False, scope="tokens:read-write",
        errors=(400, 401, 404, 422),
    )  # fmt: skip
    def create_token_for(self, params: NewTokenFor, org_id: str = GLOBAL) -> TokenFor:
        """Make a token for a member of an organisation, or for an invited person, who joins it by that.

        It takes the scope `orgs:read-write` as well. The token acts as that person in this organisation and in no
        other: who made it, and may have kept it, could else be them wherever they belong.
        """
        ...
