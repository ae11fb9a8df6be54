"""The few endpoints of the Hugging Face hub that sharing a model uses, served on this machine."""

import base64
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class FakeHub(http.server.ThreadingHTTPServer):
    """Repositories in memory, each a list of commits: the files by name.

    The real one has large files brought to a storage service of its own; this one asks for the
    content of every file within the commit. ``token`` is what must be shown to write.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.token = "hf_secret"
        self.repos: dict[str, list[dict[str, bytes]]] = {}
        self.private: dict[str, bool] = {}
        self.downloads: list[str] = []

    def sha(self, repo: str, commit: int = -1) -> str:
        index = commit % max(len(self.repos[repo]), 1)
        return hashlib.sha1(f"{repo} {index}".encode()).hexdigest()

    def files(self, repo: str, revision: str) -> dict[str, bytes] | None:
        commits = self.repos.get(repo, [])
        if revision == "main" and commits:
            return commits[-1]
        return next((f for i, f in enumerate(commits) if self.sha(repo, i) == revision), None)


@contextmanager
def serving_hub(monkeypatch: pytest.MonkeyPatch, cache: Any) -> Iterator[FakeHub]:
    """A hub, which huggingface_hub takes for the real one meanwhile."""
    from huggingface_hub import constants

    hub = FakeHub()
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_TOKEN", hub.token)
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._json({"error": "Invalid credentials"}, 401)
        elif self.path == "/api/repos/create":
            self._create(json.loads(body))
        elif self.path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif found := re.fullmatch(r"/api/models/(.+)/preupload/main", self.path):
            files = json.loads(body)["files"]
            self._json({"files": [self._mode(file["path"]) for file in files]})
        elif found := re.fullmatch(r"/api/models/(.+)/commit/main", self.path):
            self._commit(found[1], [json.loads(line) for line in body.splitlines()])
        else:
            self._json({"error": f"no {self.path}"}, 404)

    def do_HEAD(self) -> None:
        self._get()

    def do_GET(self) -> None:
        self._get()

    def _create(self, wanted: dict[str, Any]) -> None:
        owner = wanted.get("organization") or "me"
        name = f"{owner}/{wanted['name']}"
        if name in self.server.repos:
            self._json({"error": "exists", "url": f"{self.server.url}/{name}"}, 409)
            return
        self.server.repos[name] = []
        self.server.private[name] = bool(
            wanted.get("private") or wanted.get("visibility") == "private"
        )
        self._json({"url": f"{self.server.url}/{name}", "name": name})

    @staticmethod
    def _mode(path: str) -> dict[str, Any]:
        return {"path": path, "uploadMode": "regular", "shouldIgnore": False, "oid": None}

    def _commit(self, repo: str, lines: list[dict[str, Any]]) -> None:
        commits = self.server.repos[repo]
        files = dict(commits[-1]) if commits else {}
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
        commits.append(files)
        sha = self.server.sha(repo)
        url = f"{self.server.url}/{repo}/commit/{sha}"
        self._json({"commitUrl": url, "commitOid": sha, "success": True})

    def _get(self) -> None:
        if found := re.fullmatch(r"/api/models/(.+)/revision/(\w+)", self.path):
            files = self.server.files(found[1], found[2])
            if files is None:
                self._json({"error": "not found"}, 404)
                return
            sha = self.server.sha(found[1]) if found[2] == "main" else found[2]
            siblings = [{"rfilename": name} for name in files]
            self._json({"id": found[1], "modelId": found[1], "sha": sha, "siblings": siblings})
        elif found := re.fullmatch(r"/api/models/(.+)/tree/(\w+)\?.*", self.path):
            files = self.server.files(found[1], found[2]) or {}
            rows = [
                {"type": "file", "path": name, "size": len(content), "oid": ""}
                for name, content in files.items()
            ]
            self._json(rows)
        elif found := re.fullmatch(r"/(.+)/resolve/(\w+)/(.+)", self.path):
            content = (self.server.files(found[1], found[2]) or {})[found[3]]
            if self.command == "GET":
                self.server.downloads.append(found[3])
            self._send(content, {"X-Repo-Commit": found[2]})
        else:
            self._json({"error": f"no {self.path}"}, 404)

    def _json(self, value: Any, status: int = 200) -> None:
        headers = {"Content-Type": "application/json"}
        if status == 404:
            headers["X-Error-Code"] = "RepoNotFound"
        self._send(json.dumps(value).encode(), headers, status)

    def _send(self, content: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
