"""Tokens of an organisation. Declared here, answered in ``api/hathora/tokens_v1.py``."""

from __future__ import annotations

from typing import Annotated, Literal

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType, checked, told
from innkeeper.contract.words import Word

from . import operation
from .words import CHECKED_READ, READ, OrgId, Scope

#: Unique in its organisation.
TokenName = Annotated[str, checked(max_length=64)]


class OrgTokenStatus(Word):
    """Whether a token still opens the door."""

    ACTIVE = "active"
    REVOKED = "revoked"


class CreateOrgToken(Camel):
    """What a new token is called, and what its holder may do."""

    name: TokenName
    scopes: list[Scope] | Literal["admin"] | UnsetType = (
        UNSET  #: everything when left out; nobody can give more than they have
    )


class OrgToken(Camel):
    """A token, without its secret."""

    org_token_id: str
    org_id: OrgId
    name: Annotated[str, told(maxLength=64)]
    status: OrgTokenStatus
    scopes: list[Scope] | Literal["admin"] | UnsetType = UNSET  #: everything when left out
    last_four_chars_of_key: str  #: to tell tokens apart
    created_at: Moment
    created_by: str  #: an e-mail address, or the id of a token


class CreatedOrgToken(Camel):
    """A new token. Its secret is in this answer and in no other."""

    org_token: OrgToken
    plain_text_token: str


class ListOrgTokens(Camel):
    """All tokens, in one page."""

    tokens: list[OrgToken]


class TokensV1(Resource[M]):
    """Tokens with which programs call for an organisation."""

    @operation(
        "POST",
        "/tokens/v1/orgs/{orgId}/create",
        status=201,
        recorded=False,
        scope="tokens:read-write",
        errors=CHECKED_READ,
    )
    def create_org_token(self, params: CreateOrgToken, org_id: OrgId = GLOBAL) -> CreatedOrgToken:
        """Make a token. It holds until it is revoked."""
        ...

    @operation("GET", "/tokens/v1/orgs/{orgId}", scope="tokens:read", errors=READ)
    def get_org_tokens(self, org_id: OrgId = GLOBAL) -> ListOrgTokens:
        """List an organisation's tokens, revoked ones too, the newest first."""
        ...

    @operation(
        "POST",
        "/tokens/v1/orgs/{orgId}/tokens/{orgTokenId}/revoke",
        recorded=False,
        scope="tokens:read-write",
        errors=READ,
    )
    def revoke_org_token(self, org_token_id: str, org_id: OrgId = GLOBAL) -> bool:
        """End a token, for ever and at once. Answers True."""
        ...
