"""What a server of the Edgegap API says of one deployment and one session. For the tests of clients and commands."""

from __future__ import annotations

from typing import Any

from .scripted import Reply

ID, SESSION = "93924761ccde", "950dd2eaff09-S"
MADE = Reply(200, {
    "request_id": ID, "request_dns": "", "request_app": "game", "request_version": "v1", "request_user_count": 1,
    "container_log_storage": {"enabled": False},
})  # fmt: skip
PLACE = {
    "city": "Tokyo", "country": "Japan", "continent": "Asia", "administrative_division": "", "timezone": "Asia/Tokyo",
    "latitude": 35.7, "longitude": 139.7,
}  # fmt: skip
GONE = Reply(410, {"message": "it has ended"})


def status(state: str, **more: Any) -> dict[str, Any]:
    return {
        "request_id": ID, "fqdn": "", "app_name": "game", "app_version": "v1", "current_status": f"Status.{state}",
        "running": state == "READY", "whitelisting_active": False, "start_time": "2026-01-01 00:00:00.000000",
        "removal_time": None, "elapsed_time": 0, "last_status": None, "error": state == "ERROR", "error_detail": None,
        "ports": None, "public_ip": "", "sessions": [], "location": None, "tags": [], "sockets": None,
        "sockets_usage": None, **more,
    }  # fmt: skip


def told(state: str, **more: Any) -> Reply:
    return Reply(200, status(state, **more))


def session(state: str, **more: Any) -> dict[str, Any]:
    return {
        "session_id": SESSION, "status": state, "ready": state == "Ready", "linked": state in ("Linked", "Ready"),
        "kind": "Seat", "user_count": 1, "app_version": 7, "create_time": "2026-01-01 00:00:00.000000", "elapsed": 0,
        "deployment": None, **more,
    }  # fmt: skip


READY = told("READY")
SUMMARY = Reply(200, {"message": "will be stopped", "deployment_summary": status("READY")})
NOTED = Reply(202, {"message": "will be processed soon"})
FAILED = told("ERROR", removal_time="2026-01-01 00:00:00.000000")
