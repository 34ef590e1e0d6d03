"""The Kubernetes API of a run, as far as tests need it."""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from ..errors import Problem, RefusedError, UnreachableError

_TIMEOUT = 60


class Api:
    """The API of the run that has this state folder."""

    def __init__(self, state: str) -> None:
        self._state = state

    def pod(self, namespace: str, name: str) -> Optional[Mapping[str, Any]]:
        """Return a Pod, or None if there is none of that name."""
        return self._object("GET", _pod_path(namespace, name), None, name)

    def annotate(self, namespace: str, name: str, uid: str, key: str, value: Optional[str]) -> bool:
        """Give a Pod an annotation, or take it away if the value is None, and return whether the Pod is still there. Raises RefusedError."""
        change = {"metadata": {"uid": uid, "annotations": {key: value}}}
        what = f"{key} of Pod {name}" if value is None else f"{value} for Pod {name}"
        return self._object("PATCH", _pod_path(namespace, name), change, what) is not None

    def samples(self) -> Iterator[Tuple[str, Dict[str, str], float]]:
        """Return what /metrics tells: name, labels and value of each sample."""
        status, text = self._ask("GET", "/metrics", None)
        if status != http.client.OK:
            raise UnreachableError(f"cannot read the metrics of the run: it answers {status}")
        for line in text.splitlines():
            found = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line)
            if found:
                yield found[1], dict(re.findall(r'(\w+)="([^"]*)"', found[2])), float(found[3])

    def _object(self, method: str, path: str, change: Optional[Mapping[str, Any]], what: str) -> Optional[Mapping[str, Any]]:
        status, text = self._ask(method, path, change)
        answer: Mapping[str, Any] = json.loads(text)
        if status == http.client.OK:
            return answer
        gone = status == http.client.CONFLICT and change is not None  # another Pod has the name
        if status == http.client.NOT_FOUND or gone:
            return None
        causes = answer.get("details", {}).get("causes", [])
        problems = [Problem(cause.get("field", ""), cause.get("message", "")) for cause in causes]
        raise RefusedError(what, problems or [Problem("", str(answer.get("message", text)))])

    def _ask(self, method: str, path: str, change: Optional[Mapping[str, Any]]) -> Tuple[int, str]:
        try:
            trusted = ssl.create_default_context(cafile=os.path.join(self._state, "ca.crt"))
            connection = http.client.HTTPSConnection("127.0.0.1", int(self._read("api-port")), timeout=_TIMEOUT, context=trusted)
            try:
                headers = {"Authorization": "Bearer " + self._read("token"), "Content-Type": "application/merge-patch+json"}
                connection.request(method, path, None if change is None else json.dumps(change), headers)
                response = connection.getresponse()
                return response.status, response.read().decode("utf-8", "replace")
            finally:
                connection.close()
        except (OSError, ValueError, http.client.HTTPException) as e:
            raise UnreachableError(f"cannot ask the API of the run: {e}") from None

    def _read(self, name: str) -> str:
        with open(os.path.join(self._state, name), encoding="ascii") as file:
            return file.read().strip()


def _pod_path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods/{name}"
