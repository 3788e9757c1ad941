"""The desk, as `pingan care` talks to it: gives a row of boxes, asks what became of it. Owns the requests and bounds.

What goes over is sealed; who may give it is the desk's affair, so it is spoken to on this machine or by HTTPS alone.
Follows no redirect and no proxy of the environment.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from edge_daemon import tls
from edge_daemon.errors import Refusal

_WITHIN_S = 10.0
_MOST_BYTES = 1 << 20


class NotGiven(Exception):
    """The desk could not be asked, or could not store: later it may. str() says why."""


class TooOld(Exception):
    """The desk has a version that is as high. `highest`: of plan and settings, the higher one."""

    def __init__(self, highest: int) -> None:
        super().__init__(f"version {highest}")
        self.highest = highest


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class AtDesk:
    """By its URL. Raises Refusal for one that is no URL of a desk, or another machine's without TLS."""

    def __init__(self, url: str) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            host, path = parts.hostname or "", parts.path.rstrip("/")
            good = parts.scheme in ("http", "https") and host and not (parts.query or parts.fragment or parts.username)
        except ValueError:
            good, host, path = False, "", ""
        if not good:
            raise Refusal("care.desk.bad_url", url=url)
        if parts.scheme == "http" and not tls.is_loopback(host):
            raise Refusal("care.desk.plain", url=url)
        self.url = f"{parts.scheme}://{parts.netloc}{path}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def give(self, row: dict[str, Any]) -> dict[str, Any]:
        """Hand over one row of down/care; what the desk keeps now. Raises TooOld, NotGiven, Refusal."""
        status, said = self._ask("/api/care", json.dumps(row).encode())
        if status == 200:
            return said
        error = str(said.get("error", ""))
        if status == 409 and error == "too_old":
            found = [said.get(name) for name in ("plan_version", "settings_version")]
            raise TooOld(max((version for version in found if isinstance(version, int)), default=0))
        if error in ("not_genuine", "not_understood"):
            raise Refusal(f"care.desk.{error}", url=self.url, field=str(said.get("field", ""))[:80])
        raise NotGiven(f"HTTP {status} {error[:40]}".strip())

    def of(self, handle: str) -> dict[str, Any] | None:
        """What the desk keeps of a wearable and what gateways say of it; None: nothing. Raises NotGiven."""
        status, said = self._ask(f"/api/care/{handle}", None)
        if status not in (200, 404):
            raise NotGiven(f"HTTP {status}")
        return said if status == 200 else None

    def _ask(self, path: str, data: bytes | None) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})  # noqa: S310
        try:
            try:
                with self._opener.open(request, timeout=_WITHIN_S) as reply:
                    status, text = reply.status, reply.read(_MOST_BYTES)
            except urllib.error.HTTPError as error:
                with error:
                    status, text = error.code, error.read(_MOST_BYTES)
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", None) or error
            raise NotGiven(str(getattr(why, "strerror", None) or why)[:100]) from error
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise NotGiven(f"HTTP {status}")
        return status, said
