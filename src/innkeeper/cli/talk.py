"""What a command needs to speak to an Innkeeper: where it is, a token, and which app. Used by all but ``up``.

Where and who comes from, in this order: ``--url`` and ``--token``; ``INNKEEPER_URL`` and ``INNKEEPER_TOKEN`` (or
``HATHORA_TOKEN``); ``credentials.json`` in the data folder.
"""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from . import completing
from .failures import Code, Failure, told

if TYPE_CHECKING:
    from innkeeper.accounts.credentials import Credentials
    from innkeeper.contract.hathora.apps_v2 import ApplicationWithLatestDeploymentAndBuild
    from innkeeper.contract.hathora.discovery_v2 import PingEndpoints
    from innkeeper.contract.hathora.words import Region
    from innkeeper.sdk import Edgegap, HathoraCloud

P = ParamSpec("P")
C = TypeVar("C", bound=Callable[..., Any])

DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_DATA = "inn-data"
_APP_ID = re.compile(r"app-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Talk:
    """One command's talk with an Innkeeper, and how its results shall be told.

    ``said`` names which of url, token and data stood on the command line itself, for :meth:`again`. ``timeout`` is the
    seconds of each call where it shall be tried but once; the client's usual patience unless told.
    """

    def __init__(
        self,
        url: str | None,
        token: str | None,
        data: str,
        *,
        as_json: bool,
        said: Collection[str] = (),
        timeout: float | None = None,
    ) -> None:
        self._url, self._token, self._data = url, token, Path(data)
        self._said, self._timeout = said, timeout
        self.as_json = as_json  #: results go out as JSON

    @cached_property
    def _credentials(self) -> Credentials | None:
        from innkeeper.accounts.credentials import FILE, read_credentials

        try:
            return read_credentials(self._data)
        except PermissionError:
            if self._token is not None:
                return None  # it would only have told where the Innkeeper is
            raise Failure(
                f"{self._data / FILE} may be read by another user alone; run as that user, or give --url and --token.",
                Code.NOT_ALLOWED,
            ) from None
        except NotADirectoryError:
            raise Failure(f"the data folder {self._data} is not a folder") from None

    @cached_property
    def url(self) -> str:
        """Where the Innkeeper is. Raises :class:`Failure` for what is no URL."""
        if self._url is not None:
            return checked_url(self._url, "--url, or INNKEEPER_URL").rstrip("/")
        if self._credentials is None:
            return DEFAULT_URL
        return checked_url(self._credentials.url, f"url in {self._data}/credentials.json")

    @cached_property
    def token(self) -> str:
        """The token to call with. The folder's own is only ever sent to the folder's own Innkeeper."""
        if self._token is not None:
            return checked_token(self._token)
        found = self._credentials
        if found is not None and found.url.rstrip("/") == self.url.rstrip("/"):
            return found.token
        where = f"{self._data}/credentials.json is " + ("for another Innkeeper" if found else "not there")
        raise Failure(
            f"there is no token for {self.url}: {where}. Run this where Innkeeper's data folder is, name the folder"
            " with --data, or give a token with --token or INNKEEPER_TOKEN.",
            Code.NOT_ALLOWED,
        )

    @cached_property
    def client(self) -> HathoraCloud:
        """A client; it is closed when the command is over."""
        from innkeeper.sdk import NO_RETRY, HathoraCloud

        if self._timeout is not None:
            return HathoraCloud(self.token, server=self.url, timeout=self._timeout, retry=NO_RETRY)
        return HathoraCloud(self.token, server=self.url)

    @cached_property
    def edgegap(self) -> Edgegap:
        """A client of its Edgegap API; it is closed when the command is over."""
        from innkeeper.sdk import NO_RETRY, Edgegap

        if self._timeout is not None:
            return Edgegap(self.token, server=self.url, timeout=self._timeout, retry=NO_RETRY)
        return Edgegap(self.token, server=self.url)

    def again(self, *words: str, app: str | None = None) -> str:
        """A command to call next, whole: with what this one was told of where the Innkeeper is, and the app.

        What the environment says holds for the next command too, and so is left out.
        """
        parts = ["innkeeper", *words] + (["--app", app] if app else [])
        if "url" in self._said and self._url:
            parts += ["--url", self._url]
        if "data" in self._said:
            parts += ["--data", str(self._data)]
        return shlex.join(parts) + (" --token TOKEN" if "token" in self._said else "")  # never the token itself

    def org_id(self) -> str:
        """The organisation that the token belongs to."""
        if self._token is None and self._credentials is not None:
            return self._credentials.org_id
        orgs = self.client.organizations_v1.get_orgs().orgs
        if len(orgs) == 1:
            return orgs[0].org_id
        raise Failure(f"this token belongs to {len(orgs)} organisations; name one with --org", Code.USAGE)

    def apps(self) -> list[ApplicationWithLatestDeploymentAndBuild]:
        """All apps that the token can see."""
        return self.client.apps_v2.get_apps().applications

    def app_id(self, given: str | None) -> str:
        """The id of the app that was named by its name or id, or of the only one there is."""
        if given and _APP_ID.fullmatch(given):
            return given
        apps = self.apps()
        if given:
            for app in apps:
                if given in (app.app_name, app.app_id):  # an id that came from elsewhere looks like anything
                    return app.app_id
            known = ", ".join(app.app_name for app in apps) or "none at all"
            raise Failure(f"there is no app {given!r}; there is: {known}", Code.NOT_FOUND)
        if not apps:
            raise Failure("there is no app yet. Make one with `innkeeper apps create NAME`.", Code.NOT_FOUND)
        if len(apps) > 1:
            known = ", ".join(app.app_name for app in apps)
            raise Failure(f"there are several apps ({known}): name one with --app or INNKEEPER_APP_ID", Code.USAGE)
        return apps[0].app_id

    def close(self) -> None:
        """Let go of the connections, if there are any."""
        for name in self.__dict__.keys() & {"client", "edgegap"}:
            getattr(self, name).close()


def checked_url(text: str, source: str) -> str:
    """The URL of an Innkeeper; ``source`` is where it was given. Raises :class:`Failure`."""
    from innkeeper.settings import is_url

    if is_url(text):
        return text
    lacks_beginning = "://" not in text and is_url(f"http://{text}")
    what = f"write http://{text}" if lacks_beginning else f"write a whole one, such as {DEFAULT_URL}"
    raise Failure(f"{text!r} ({source}) is not the URL of an Innkeeper: {what}", Code.USAGE)


def checked_token(text: str) -> str:
    """A token as it was given, without the line break that a file ends with. Raises :class:`Failure`."""
    token = text.strip()
    if not token:
        raise Failure("--token is empty: give a token, or leave it out", Code.USAGE)
    if not token.isascii() or not token.isprintable():
        raise Failure("the token given holds a character that no token has: was it copied whole?", Code.USAGE)
    return token


def data_option(command: C) -> C:
    """The option that names the data folder."""
    return click.option(
        "--data", default=DEFAULT_DATA, envvar="INNKEEPER_DATA", show_default=True, metavar="DIR",
        help="Data folder of the Innkeeper, for its credentials.json.",
    )(command)  # fmt: skip


def talks(command: Callable[Concatenate[Talk, P], None]) -> Callable[..., None]:
    """Give a command its :class:`Talk`, the options for it, and errors that people can act on."""

    @functools.wraps(command)
    def run(url: str | None, token: str | None, data: str, as_json: bool, *args: P.args, **kwargs: P.kwargs) -> None:
        context = click.get_current_context()
        line = click.core.ParameterSource.COMMANDLINE
        said = {name for name in ("url", "token", "data") if context.get_parameter_source(name) is line}
        talk = Talk(url, token, data, as_json=as_json, said=said)
        try:
            with told(as_json=as_json, url=url or ""):
                where = talk.url
            with told(where, as_json=as_json):
                command(talk, *args, **kwargs)
        finally:
            talk.close()

    decorated: Callable[..., None] = run
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON."),
        data_option,
        click.option(
            "--token", envvar=["INNKEEPER_TOKEN", "HATHORA_TOKEN"], help="Token to call with. [env: INNKEEPER_TOKEN]"
        ),
        click.option(
            "--url",
            envvar=["INNKEEPER_URL", "HATHORA_CLOUD_ENDPOINT"],
            help="Where the Innkeeper is. [env: INNKEEPER_URL]",
        ),
    ):
        decorated = option(decorated)
    return decorated


def app_option(command: C) -> C:
    """The option that names the app; a command passes it to :meth:`Talk.app_id`."""
    return click.option(
        "--app", envvar=["INNKEEPER_APP_ID", "HATHORA_APP_ID"], metavar="NAME|ID", shell_complete=completing.apps,
        help="The app; not needed where there is but one. [env: INNKEEPER_APP_ID]",
    )(command)  # fmt: skip


def org_option(command: C) -> C:
    """The option that names an organisation; where it is not given a command takes :meth:`Talk.org_id`."""
    return click.option(
        "--org", metavar="ID", shell_complete=completing.orgs, help="The organisation; the token's own unless told."
    )(command)


def region_option(command: C) -> C:
    """The option that names a region; a command passes it to :func:`region_of`."""
    return click.option(
        "--region", envvar=["INNKEEPER_REGION", "HATHORA_REGION"], shell_complete=completing.regions,
        help="Where; the first region that the Innkeeper serves unless told. [env: INNKEEPER_REGION]",
    )(command)  # fmt: skip


def region_of(talk: Talk, given: str | None) -> Any:
    """The region by its name in any case, or the first that is served."""
    from innkeeper.contract.hathora.words import Region

    if given is None:
        return first_region(talk.client.discovery_v2.get_ping_service_endpoints(), talk.url)
    for region in Region:
        if region.value.lower() == given.lower().replace(" ", "_").replace("-", "_"):
            return region
    raise Failure(f"there is no region {given!r}; there is: {', '.join(str(region) for region in Region)}", Code.USAGE)


def first_region(served: Sequence[PingEndpoints], url: str) -> Region:
    """The region to take where none is named, of those that the Innkeeper at ``url`` serves."""
    if not served:
        raise Failure(f"{url} serves no region: see its setting `locations`")
    return served[0].region
