"""Proof of people's addresses. Declared here, answered in ``api/hathora/management_v1.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import Camel
from innkeeper.contract.words import Word

from . import operation


class VerificationEmailRequest(Camel):
    """Who shall be sent a mail."""

    user_id: str  #: an e-mail address


class VerificationEmailSuccess(Word):
    """That it was asked for."""

    SUCCESS = "success"


class ManagementV1(Resource[M]):
    """Proof of people's addresses."""

    @operation("POST", "/management/v1/sendverificationemail", key="none", errors=(401, 408, 429, 500))
    def send_verification_email(self, params: VerificationEmailRequest) -> VerificationEmailSuccess:
        """Have a mail sent whose link proves that an address is its user's.

        Strangers get the same answer, and no mail. One mail goes to an address in five minutes.
        """
        ...
