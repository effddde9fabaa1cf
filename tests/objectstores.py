"""A real object store on loopback, with a bucket, for tests of what is put there and fetched from there.

with object_store() as store:
    store.put("maps/arena.map", b"...")
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Generator
from typing import Any

import boto3
from botocore.config import Config
from moto import settings
from moto.server import ThreadedMotoServer


class ObjectStore:
    """The store, as its owner sees it. ``strict`` asks for a key that it knows, and for a right signature."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.bucket = f"bucket-{uuid.uuid4().hex[:8]}"
        self.key_id, self.secret = "test", "a-secret-for-tests"
        self._client = self.client("s3")
        self._client.create_bucket(Bucket=self.bucket)

    def client(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.endpoint, aws_access_key_id=self.key_id, aws_secret_access_key=self.secret,
            region_name="us-east-1", config=Config(retries={"max_attempts": 0}),
        )  # fmt: skip

    def put(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        return bytes(self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def keys(self) -> list[str]:
        return [one["Key"] for one in self._client.list_objects_v2(Bucket=self.bucket).get("Contents", ())]

    @contextlib.contextmanager
    def strict(self) -> Generator[None]:
        """While this holds it takes requests of those alone whom it knows; that is nobody."""
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
        try:
            yield
        finally:
            settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")


@contextlib.contextmanager
def object_store() -> Generator[ObjectStore]:
    """A running one."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield ObjectStore(server.get_host_and_port()[1])
    finally:
        server.stop()
