"""Buckets of the caller's own, and what is brought from there. Declared in ``contract/edgegap/endpoint_storage.py``."""

from __future__ import annotations

from typing import TypeVar

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.endpoint_storage import (
    EndpointStorage,
    EndpointStorageGetResponse,
    EndpointStorageListResponse,
    EndpointStoragePatchPayload,
    EndpointStoragePostPayload,
    OutputFormat,
    PullProfileAppVersionLinkResponse,
    PullProfileGetResponse,
    PullProfilePatchPayload,
    PullProfilePostPayload,
    PullProfilesListResponse,
    SourceType,
)
from innkeeper.contract.edgegap.words import Message
from innkeeper.contract.shape import given
from innkeeper.hosting.storages import ProfileChange, StorageChange
from innkeeper.hosting.storing.model import OutputForm, Profile, PullKind, Storage
from innkeeper.kit.errors import Invalid

from .pages import cut, paged, slice_of
from .times import stamp

T = TypeVar("T")

_FORMS = {OutputFormat.TEXT: OutputForm.TEXT, OutputFormat.NDJSON: OutputForm.NDJSON}
_KINDS = {SourceType.FILE: PullKind.FILE, SourceType.FOLDER: PullKind.FOLDER}
_FORMATS = {form: word for word, form in _FORMS.items()}
_TYPES = {kind: word for word, kind in _KINDS.items()}


def _form(word: OutputFormat) -> OutputForm:
    if word not in _FORMS:
        raise Invalid(f"output_format: {word.value!r} is none of {', '.join(each.value for each in _FORMS)}")
    return _FORMS[word]


def _kind(word: SourceType) -> PullKind:
    if word not in _KINDS:
        raise Invalid(f"source_type: {word.value!r} is none of {', '.join(each.value for each in _KINDS)}")
    return _KINDS[word]


def _storage(found: Storage) -> EndpointStorageGetResponse:
    return EndpointStorageGetResponse(
        name=found.name,
        access_key_id=found.key_id,
        endpoint=found.endpoint,
        bucket=found.bucket,
        create_time=stamp(found.created_at),
        last_updated=stamp(found.changed_at),
        output_format=_FORMATS[found.form],
    )


def _profile(found: Profile) -> PullProfileGetResponse:
    return PullProfileGetResponse(
        name=found.name,
        source=found.source,
        source_type=_TYPES[found.kind],
        destination=found.destination,
        create_time=stamp(found.created_at),
        last_updated=stamp(found.changed_at),
    )


@implements(EndpointStorage.create_endpoint)
async def create_endpoint(visit: Visit, params: EndpointStoragePostPayload) -> EndpointStorageGetResponse:
    form = _form(given(params.output_format) or OutputFormat.TEXT)
    made = await visit.wings.storages.create(
        visit.org, visit.by, name=params.name, endpoint=params.endpoint, bucket=params.bucket,
        key_id=params.access_key_id, secret=params.secret_access_key, form=form,
    )  # fmt: skip
    return _storage(made)


@implements(EndpointStorage.delete_endpoint)
async def delete_endpoint(visit: Visit, endpoint_name: str) -> Message | None:
    await visit.wings.storages.delete(visit.org, endpoint_name)
    return Message(message=f"Endpoint storage {endpoint_name} was deleted. What is in its bucket stays.")


@implements(EndpointStorage.get_endpoint)
async def get_endpoint(visit: Visit, endpoint_name: str) -> EndpointStorageGetResponse:
    return _storage(await visit.wings.storages.get(visit.org, endpoint_name))


@implements(EndpointStorage.update_endpoint)
async def update_endpoint(
    visit: Visit, params: EndpointStoragePatchPayload, endpoint_name: str
) -> EndpointStorageGetResponse:
    word = given(params.output_format)
    change = StorageChange(
        name=given(params.name),
        endpoint=given(params.endpoint),
        bucket=given(params.bucket),
        key_id=given(params.access_key_id),
        secret=given(params.secret_access_key),
        form=None if word is None else _form(word),
    )
    return _storage(await visit.wings.storages.change(visit.org, endpoint_name, change))


@implements(EndpointStorage.list_endpoints)
async def list_endpoints(
    visit: Visit, *, page: int | None = None, limit: int | None = None
) -> EndpointStorageListResponse:
    part, found = slice_of(page, limit), await visit.wings.storages.all(visit.org)
    return EndpointStorageListResponse(endpoints=[_storage(one) for one in cut(part, found)], **paged(part, len(found)))


@implements(EndpointStorage.create_pull_profile)
async def create_pull_profile(
    visit: Visit, params: PullProfilePostPayload, endpoint_name: str
) -> PullProfileGetResponse:
    made = await visit.wings.storages.create_profile(
        visit.org, endpoint_name, name=params.name, source=params.source, kind=_kind(params.source_type),
        destination=params.destination,
    )  # fmt: skip
    return _profile(made)


@implements(EndpointStorage.delete_pull_profile)
async def delete_pull_profile(visit: Visit, endpoint_name: str, pull_profile_name: str) -> None:
    await visit.wings.storages.delete_profile(visit.org, endpoint_name, pull_profile_name)


@implements(EndpointStorage.get_pull_profile)
async def get_pull_profile(visit: Visit, endpoint_name: str, pull_profile_name: str) -> PullProfileGetResponse:
    return _profile(await visit.wings.storages.profile(visit.org, endpoint_name, pull_profile_name))


@implements(EndpointStorage.update_pull_profile)
async def update_pull_profile(
    visit: Visit, params: PullProfilePatchPayload, endpoint_name: str, pull_profile_name: str
) -> PullProfileGetResponse:
    word = given(params.source_type)
    change = ProfileChange(
        name=given(params.name),
        source=given(params.source),
        kind=None if word is None else _kind(word),
        destination=given(params.destination),
    )
    return _profile(await visit.wings.storages.change_profile(visit.org, endpoint_name, pull_profile_name, change))


@implements(EndpointStorage.unlink_pull_profile)
async def unlink_pull_profile(
    visit: Visit, endpoint_name: str, pull_profile_name: str, app_name: str, version_name: str
) -> None:
    await visit.wings.storages.unlink(visit.org, endpoint_name, pull_profile_name, app_name, version_name)


@implements(EndpointStorage.link_pull_profile)
async def link_pull_profile(
    visit: Visit, endpoint_name: str, pull_profile_name: str, app_name: str, version_name: str
) -> PullProfileAppVersionLinkResponse:
    made = await visit.wings.storages.link(visit.org, endpoint_name, pull_profile_name, app_name, version_name)
    return PullProfileAppVersionLinkResponse(
        app=made.app_name,
        app_version=made.label,
        endpoint=endpoint_name,
        pull_profile=pull_profile_name,
        create_time=stamp(made.created_at),
        last_updated=stamp(made.created_at),
    )


@implements(EndpointStorage.list_pull_profiles)
async def list_pull_profiles(
    visit: Visit, endpoint_name: str, *, page: int | None = None, limit: int | None = None
) -> PullProfilesListResponse:
    part, found = slice_of(page, limit), await visit.wings.storages.profiles(visit.org, endpoint_name)
    return PullProfilesListResponse(
        pull_profiles=[_profile(one) for one in cut(part, found)], **paged(part, len(found))
    )
