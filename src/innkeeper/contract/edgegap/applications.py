"""Applications, their versions, and who may reach those. Declared here, answered in ``api/edgegap/applications.py``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from innkeeper.contract.paging import by_page
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType, told
from innkeeper.contract.words import Word

from . import operation
from .words import (
    MOST,
    NAMED,
    AppName,
    Env,
    Limit,
    Message,
    NewAppName,
    NewVersionName,
    Page,
    Paged,
    Protocol,
    SessionKind,
    Stamp,
    VersionName,
)

#: Of a rule of access, made up by the platform.
EntryId = str
#: A picture in base64.
Image = str
CpuUnits = Annotated[int, Meta(ge=100, le=MOST)]
Memory = Annotated[int, Meta(ge=100, le=MOST)]
GpuUnits = Annotated[int, Meta(ge=0, le=MOST)]
MaxDuration = Annotated[int, Meta(ge=-1, le=MOST)]
TimeToDeploy = Annotated[int, Meta(ge=10, le=MOST)]
Hour = Annotated[int, Meta(ge=0, le=23)]
GracePeriod = Annotated[int, Meta(ge=5, le=3600)]
Sockets = Annotated[int, Meta(ge=1, le=MOST)]
EmptyTtl = Annotated[int, Meta(ge=1, le=MOST)]
SessionMaxDuration = Annotated[int, Meta(ge=60, le=MOST)]
Ping = Annotated[int, Meta(ge=1, le=MOST)]


class ApplicationPost(Snake):
    """A new application."""

    name: NewAppName
    is_active: bool  #: whether it can be deployed
    is_telemetry_agent_active: bool | UnsetType | None = UNSET  #: Innkeeper keeps it, without effect
    image: Image


class ApplicationPatch(Snake):
    """What changes of an application. What is left out or null stays."""

    name: NewAppName | UnsetType | None = UNSET
    is_active: bool | UnsetType | None = UNSET  #: whether it can be deployed
    is_telemetry_agent_active: bool | UnsetType | None = UNSET  #: Innkeeper keeps it, without effect
    image: Image | UnsetType | None = UNSET


class Application(Snake):
    """A game of the organisation: what its versions stand under."""

    name: AppName
    is_active: bool  #: whether it can be deployed
    is_telemetry_agent_active: bool | UnsetType | None = UNSET  #: as it was said
    image: Image | UnsetType | None = UNSET
    create_time: Stamp
    last_updated: Stamp


class ApplicationList(Paged):
    """Some applications. The vendor's name: ``Applications``."""

    applications: list[Application] = field(default_factory=list[Application])


class BuildType(Word):
    """What a version is for."""

    PRODUCTION = "Production"
    DEVELOPMENT = "Development"


class RestartPolicy(Word):
    """What happens when a server's program ends by itself."""

    ALWAYS = "always"  #: it is started again
    NEVER = "never"  #: its deployment is over
    ON_FAILURE = "on_failure"  #: it is started again unless its exit code was 0


class AppVersionPort(Snake):
    """One port that a server listens on."""

    port: Annotated[int, Meta(ge=0, le=59999)]  #: 0 for one that is the same inside and outside, and needs a name
    protocol: Protocol
    to_check: bool | UnsetType | None = UNSET  #: a deployment is ready only once it is listened on; True unless said
    #: Players speak TLS and the server does not; ``HTTP`` and ``WS`` alone.
    tls_upgrade: bool | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET  #: the port's number unless said


class AppVersionProbe(Snake):
    """How near players have to be, in milliseconds."""

    optimal_ping: Ping  #: at most this is good
    rejected_ping: Ping  #: more than this is refused


class AppVersionCreateSessionConfig(Snake):
    """How sessions use the deployments of a version."""

    kind: SessionKind  #: with ``Default`` the rest does not count
    sockets: Sockets  #: how many players or sessions a deployment takes
    autodeploy: bool | UnsetType | None = UNSET  #: start a deployment for a session that finds none; False unless said
    empty_ttl: EmptyTtl | UnsetType | None = UNSET  #: minutes without sessions after which a deployment is stopped
    #: Minutes that a session is still told after its deployment has ended; 60 unless said.
    session_max_duration: SessionMaxDuration | UnsetType | None = UNSET


class AppVersionUpdateSessionConfig(Snake):
    """What changes of how sessions use deployments. What is left out or null stays."""

    kind: SessionKind | UnsetType | None = UNSET  #: with ``Default`` the rest does not count
    sockets: Sockets | UnsetType | None = UNSET  #: how many players or sessions a deployment takes
    autodeploy: bool | UnsetType | None = UNSET  #: start a deployment for a session that finds none
    empty_ttl: EmptyTtl | UnsetType | None = UNSET  #: minutes without sessions after which a deployment is stopped
    #: Minutes that a session is still told after its deployment has ended.
    session_max_duration: SessionMaxDuration | UnsetType | None = UNSET


class AppVersionSessionConfig(Snake):
    """How sessions use the deployments of a version. The vendor's name: ``AppVersionCreateSessionConfig``."""

    kind: SessionKind  #: with ``Default`` the rest does not count
    sockets: int  #: how many players or sessions a deployment takes
    autodeploy: bool | UnsetType | None = UNSET  #: a deployment is started for a session that finds none
    empty_ttl: int | UnsetType | None = UNSET  #: minutes without sessions after which a deployment is stopped
    #: Minutes that a session is still told after its deployment has ended.
    session_max_duration: int | UnsetType | None = UNSET


class AppVersionCommon(Snake):
    """What may be said of a version and needs not be. What is so "unless said" is so for a new one."""

    is_active: bool | UnsetType | None = UNSET  #: whether it can be deployed; True unless said
    private_username: str | UnsetType | None = UNSET  #: for a registry that asks who it is
    private_token: str | UnsetType | None = UNSET  #: the password that goes with it
    req_video: GpuUnits | UnsetType | None = UNSET  #: 1024 are one graphics processor
    #: Minutes after which a deployment is stopped. 0 and -1 set no end; the platform may have one of its own.
    max_duration: MaxDuration | UnsetType | None = UNSET
    use_telemetry: bool | UnsetType | None = UNSET  #: Innkeeper keeps it, without effect
    inject_context_env: bool | UnsetType | None = UNSET  #: kept; servers get those variables anyway
    whitelisting_active: bool | UnsetType | None = UNSET  #: only listed addresses reach the deployments
    force_cache: bool | UnsetType | None = UNSET  #: fetch the image to the locations ahead of deployments
    cache_min_hour: Hour | UnsetType | None = UNSET  #: the hour of the day when that may begin
    cache_max_hour: Hour | UnsetType | None = UNSET  #: the hour of the day when that ends
    time_to_deploy: TimeToDeploy | UnsetType | None = UNSET  #: seconds; a start that takes longer is tried anew
    enable_all_locations: bool | UnsetType | None = UNSET  #: also the slow ones, without access rules and cache
    ports: list[AppVersionPort] | UnsetType | None = UNSET
    probe: AppVersionProbe | UnsetType | None = UNSET
    envs: list[Env] | UnsetType | None = UNSET  #: besides what the platform sets
    verify_image: bool | UnsetType | None = UNSET  #: see that the image can be had first, or refuse (424)
    termination_grace_period_seconds: GracePeriod | UnsetType | None = UNSET  #: seconds between SIGTERM and the end
    endpoint_storage: str | UnsetType | None = UNSET  #: the name of where logs are kept when a deployment has ended
    command: str | UnsetType | None = UNSET  #: instead of the image's own, which runs when this is empty
    arguments: str | UnsetType | None = UNSET  #: instead of the image's own, which are taken when this is empty
    build_type: BuildType | UnsetType | None = UNSET
    restart_policy: RestartPolicy | UnsetType | None = UNSET  #: ``always`` unless said
    will_deploy_in_mainland_china: bool | UnsetType | None = UNSET  #: whether it may run there; False unless said
    dns_config: str | UnsetType | None = UNSET  #: which domain deployments are named under


class AppVersionPayload(AppVersionCommon):
    """A new version: an image and how to run it."""

    name: NewVersionName
    docker_repository: str  #: the registry's host; ``build`` for a build that was uploaded
    docker_image: str  #: without registry and tag
    docker_tag: str
    req_cpu: CpuUnits  #: 1024 are one processor
    req_memory: Memory  #: MiB
    session_config: AppVersionCreateSessionConfig | UnsetType | None = UNSET  #: without it there are no sessions


class AppVersionUpdatePayload(AppVersionCommon):
    """What changes of a version. What is left out or null stays; a list that is given replaces the whole list."""

    name: NewVersionName | UnsetType | None = UNSET
    docker_repository: str | UnsetType | None = UNSET  #: the registry's host; ``build`` for a build that was uploaded
    docker_image: str | UnsetType | None = UNSET  #: without registry and tag
    docker_tag: str | UnsetType | None = UNSET
    req_cpu: CpuUnits | UnsetType | None = UNSET  #: 1024 are one processor
    req_memory: Memory | UnsetType | None = UNSET  #: MiB
    session_config: AppVersionUpdateSessionConfig | UnsetType | None = UNSET


class AppVersion(Snake):
    """An image and how to run it. The vendor has one object for this and for ``AppVersionPayload``."""

    name: VersionName
    is_active: bool | UnsetType | None = UNSET  #: whether it can be deployed
    docker_repository: str  #: the registry's host; ``build`` for a build that was uploaded
    docker_image: str  #: without registry and tag
    docker_tag: str
    private_username: str | UnsetType | None = UNSET
    private_token: str | UnsetType | None = UNSET  #: always null from Innkeeper, which tells no secrets
    req_cpu: Annotated[int, told(minimum=100)]  #: 1024 are one processor
    req_memory: Annotated[int, told(minimum=100)]  #: MiB
    req_video: int | UnsetType | None = UNSET  #: 1024 are one graphics processor
    max_duration: int | UnsetType | None = UNSET  #: minutes; below 1 there is no end of the version's own
    use_telemetry: bool | UnsetType | None = UNSET  #: as it was said
    inject_context_env: bool | UnsetType | None = UNSET  #: as it was said
    whitelisting_active: bool | UnsetType | None = UNSET  #: only listed addresses reach the deployments
    force_cache: bool | UnsetType | None = UNSET  #: the image is fetched to the locations ahead of deployments
    cache_min_hour: int | UnsetType | None = UNSET  #: the hour of the day when that may begin
    cache_max_hour: int | UnsetType | None = UNSET  #: the hour of the day when that ends
    caching_percent: float | UnsetType | None = UNSET  #: the share of locations that have it, from 0 to 1
    time_to_deploy: int | UnsetType | None = UNSET  #: seconds; a start that takes longer is tried anew
    enable_all_locations: bool | UnsetType | None = UNSET  #: also the slow ones, without access rules and cache
    session_config: AppVersionSessionConfig | UnsetType | None = UNSET  #: None where there are no sessions
    ports: list[AppVersionPort] | UnsetType | None = UNSET
    probe: AppVersionProbe | UnsetType | None = UNSET
    envs: list[Env] | UnsetType | None = UNSET  #: the value of a hidden one is an empty text
    verify_image: bool | UnsetType | None = UNSET
    termination_grace_period_seconds: int | UnsetType | None = UNSET  #: seconds between SIGTERM and the end
    endpoint_storage: str | UnsetType | None = UNSET  #: the name of where logs are kept when a deployment has ended
    command: str | UnsetType | None = UNSET  #: None for the image's own
    arguments: str | UnsetType | None = UNSET  #: None for the image's own
    build_type: BuildType | UnsetType | None = UNSET
    restart_policy: RestartPolicy | UnsetType | None = UNSET
    will_deploy_in_mainland_china: bool | UnsetType | None = UNSET  #: whether it may run there
    dns_config: str | UnsetType | None = UNSET  #: which domain deployments are named under
    create_time: Stamp | UnsetType | None = UNSET
    last_updated: Stamp | UnsetType | None = UNSET


class AppVersionCreateResponse(Snake):
    """A version as it stands now. The vendor's other name: ``AppVersionUpdateResponse``."""

    success: bool | UnsetType | None = UNSET  #: True
    version: AppVersion | UnsetType | None = UNSET


class AppVersionDelete(Snake):
    """A version that is deleted."""

    success: bool | UnsetType | None = UNSET  #: True
    message: str | UnsetType | None = UNSET  #: for people


class AppVersionList(Paged):
    """Some versions."""

    versions: list[AppVersion] = field(default_factory=list[AppVersion])


class AppVersionWhitelistEntryPayload(Snake):
    """A new rule of access."""

    cidr: str  #: addresses, such as ``192.0.2.0/24``; one alone is ``192.0.2.1/32``
    label: str | UnsetType | None = UNSET  #: the caller's own word for it
    is_active: bool | UnsetType | None = UNSET  #: False keeps the rule without applying it; True unless said


class AppVersionWhitelistEntry(Snake):
    """A rule of access: these addresses reach the deployments of a version."""

    id: EntryId
    cidr: str
    label: str | UnsetType | None = UNSET
    is_active: bool | UnsetType | None = UNSET  #: False: the rule is kept and not applied


class AppVersionWhitelistEntrySuccess(Snake):
    """A rule that was made, or deleted."""

    success: bool  #: True
    whitelist_entry: AppVersionWhitelistEntry | UnsetType | None = UNSET


class AppVersionWhitelistResponse(Snake):
    """All rules of a version."""

    whitelist_entries: list[AppVersionWhitelistEntry] = field(default_factory=list[AppVersionWhitelistEntry])


class Applications(Resource[M]):
    """Applications, their versions, and who may reach those."""

    @operation(
        "POST", "/v1/app", scope="applications:read-write", id="application-post", errors=(400, 401, 403, 409, 429),
    )  # fmt: skip
    def create_application(self, params: ApplicationPost) -> Application:
        """Create an application. Its name must be new in the organisation (409). It needs a version to be deployed."""
        ...

    @operation("GET", "/v1/app/{app_name}", scope="applications:read", id="application-get", errors=NAMED)
    def get_application(self, app_name: AppName) -> Application:
        """Tell what an application is."""
        ...

    @operation(
        "PATCH", "/v1/app/{app_name}", scope="applications:read-write", id="application-patch",
        errors=(400, 401, 403, 404, 409, 429),
    )  # fmt: skip
    def update_application(self, params: ApplicationPatch, app_name: AppName) -> Application:
        """Change an application: rename it, or say whether it can be deployed. What runs is left alone."""
        ...

    @operation("DELETE", "/v1/app/{app_name}", scope="applications:read-write", id="application-delete", errors=NAMED)
    def delete_application(self, app_name: AppName) -> Message:
        """Delete an application with all its versions."""
        ...

    @operation(
        "GET", "/v1/apps", scope="applications:read", id="applications-get", errors=(400, 401, 403, 429),
        paging=by_page(),
    )  # fmt: skip
    def list_applications(self, *, page: Page | None = None, limit: Limit | None = None) -> ApplicationList:
        """List the applications of the organisation."""
        ...

    @operation(
        "POST", "/v1/app/{app_name}/version", scope="deployments:read-write", id="app-version-post",
        errors=(400, 401, 403, 404, 409, 424, 429),
    )  # fmt: skip
    def create_app_version(self, params: AppVersionPayload, app_name: AppName) -> AppVersionCreateResponse:
        """Create a version: an image and how to run it. Its name must be new in the application (409).

        Deployments and sessions that name no version get the one that was created last.
        """
        ...

    @operation(
        "GET", "/v1/app/{app_name}/version/{version_name}", scope="deployments:read", id="app-version-get",
        errors=NAMED,
    )  # fmt: skip
    def get_app_version(self, app_name: AppName, version_name: VersionName) -> AppVersion:
        """Tell what a version runs, and how."""
        ...

    @operation(
        "PATCH", "/v1/app/{app_name}/version/{version_name}", scope="deployments:read-write",
        id="app-versions-patch", errors=(400, 401, 403, 404, 409, 424, 429),
    )  # fmt: skip
    def update_app_version(
        self, params: AppVersionUpdatePayload, app_name: AppName, version_name: VersionName
    ) -> AppVersionCreateResponse:
        """Change a version. New deployments run it as it is now; those that run stay as they were started."""
        ...

    @operation(
        "DELETE", "/v1/app/{app_name}/version/{version_name}", scope="deployments:read-write",
        id="app-version-delete", errors=NAMED,
    )  # fmt: skip
    def delete_app_version(self, app_name: AppName, version_name: VersionName) -> AppVersionDelete:
        """Delete a version with its rules of access."""
        ...

    @operation(
        "GET", "/v1/app/{app_name}/versions", scope="deployments:read", id="app-versions-get", errors=NAMED,
        paging=by_page(),
    )  # fmt: skip
    def list_app_versions(
        self, app_name: AppName, *, page: Page | None = None, limit: Limit | None = None
    ) -> AppVersionList:
        """List the versions of an application."""
        ...

    @operation(
        "POST", "/v1/app/{app_name}/version/{version_name}/whitelist", scope="applications:read-write",
        id="app-version-whitelist-post", errors=NAMED,
    )  # fmt: skip
    def create_whitelist_entry(
        self, params: AppVersionWhitelistEntryPayload, app_name: AppName, version_name: VersionName
    ) -> AppVersionWhitelistEntrySuccess:
        """Let some addresses reach the deployments of a version.

        Rules count only where the version says ``whitelisting_active``; then nobody else gets through.
        """
        ...

    @operation(
        "GET", "/v1/app/{app_name}/version/{version_name}/whitelist", scope="applications:read",
        id="app-version-whitelist-get", errors=NAMED,
    )  # fmt: skip
    def list_whitelist_entries(self, app_name: AppName, version_name: VersionName) -> AppVersionWhitelistResponse:
        """List all rules of access of a version, in one page."""
        ...

    @operation(
        "GET", "/v1/app/{app_name}/version/{version_name}/whitelist/{entry_id}", scope="applications:read",
        id="app-version-whitelist-entry-get", errors=NAMED,
    )  # fmt: skip
    def get_whitelist_entry(
        self, app_name: AppName, version_name: VersionName, entry_id: EntryId
    ) -> AppVersionWhitelistEntry:
        """Tell one rule of access."""
        ...

    @operation(
        "DELETE", "/v1/app/{app_name}/version/{version_name}/whitelist/{entry_id}",
        scope="applications:read-write", id="app-version-whitelist-entry-delete", errors=NAMED,
    )  # fmt: skip
    def delete_whitelist_entry(
        self, app_name: AppName, version_name: VersionName, entry_id: EntryId
    ) -> AppVersionWhitelistEntrySuccess:
        """Delete a rule of access, and tell what it was."""
        ...
