"""The fake server: HTTP and websockets on a free port, in threads of its own."""

import json
import re
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self, cast

from stepgate_client.testing.fake_jobs import EPOCH, Envelope, FakeJob, FakeStep
from stepgate_client.testing.fake_socket import FakeSocket


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request as it came: its path below the item, its JSON body (None without one), its headers in lower case."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


_JOB = r"jobs/(?P<job>[^/]+)"

Handler = Callable[["FakeServer", SeenRequest, dict[str, str]], Any]
"""Answers a request, given the variable parts of its path."""


class FakeServer:
    """Jobs in memory behind real sockets. A context manager; everything may be called from any thread.

    ``url`` is what a ``Client`` is given, with any token. ``requests`` are those it has answered, in order.
    """

    def __init__(self) -> None:
        self.requests: list[SeenRequest] = []
        self._lock = threading.RLock()
        self._jobs: dict[str, FakeJob] = {}
        self._kept: dict[str, tuple[int, Any]] = {}
        self._failures: list[int | None] = []
        self._sockets: set[FakeSocket] = set()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.fake = self  # type: ignore[attr-defined] # how the library hands things to its handlers
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Root of the server."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def add_job(self, steps: Sequence[FakeStep], *, job_id: str | None = None, name: str = "Job") -> str:
        """Put a job there; returns its id."""
        with self._lock:
            job = FakeJob(job_id or uuid.uuid4().hex[:22], name, list(steps), self._tell)
            self._jobs[job.job_id] = job
            return job.job_id

    def job(self, job_id: str) -> FakeJob:
        """A job as it stands, to look at and to change. Raises KeyError."""
        return self._jobs[job_id]

    def fail_next(self, status: int | None, times: int = 1) -> None:
        """Refuse the next requests with an HTTP status; None: do what is asked for, and break the connection before the
        answer."""
        with self._lock:
            self._failures += [status] * times

    def cut_websockets(self) -> None:
        """Break all websockets without a close frame, as a network does."""
        with self._lock:
            for socket in list(self._sockets):
                socket.cut()

    def close(self) -> None:
        """Stop. Idempotent."""
        self.cut_websockets()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------ HTTP

    def answer(self, request: SeenRequest) -> tuple[int, Any] | None:
        """Status and body for a request; None: break the connection."""
        with self._lock:
            self.requests.append(request)
            failure = self._failures.pop(0) if self._failures else 0
            if failure:
                return failure, _error(failure, "FakeFailure", "The test has asked for this.")
            answer = self._once(request)
            return None if failure is None else answer

    def _once(self, request: SeenRequest) -> tuple[int, Any]:
        key = request.headers.get("idempotency-key")
        if key is None or request.method != "POST":
            return self._route(request)
        if key not in self._kept:
            self._kept[key] = self._route(request)
        return self._kept[key]

    def _route(self, request: SeenRequest) -> tuple[int, Any]:
        for method, pattern, handler in self._ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                parts = match.groupdict()
                job_id = parts.get("job")
                if job_id is None:
                    return 200, handler(self, request, parts)
                if job_id not in self._jobs:
                    return 404, _error(404, "JobNotFound", f"There is no job '{job_id}'.")
                return 200, handler(self, request, parts)
        text = f"The fake server does not know {request.method} {request.path}; a real one may."
        return 501, _error(501, "NotFaked", text)

    def _create(self, request: SeenRequest, _: dict[str, str]) -> Any:
        body = request.body or {}
        steps = [FakeStep("Work"), FakeStep("Approve?", question={"Yes": 1, "No": 2})]
        count = int(body.get("numberOfJobs", 1))
        return {"jobIds": [self.add_job(steps, name=body.get("jobName", "Job")) for _ in range(count)]}

    def _read(self, _: SeenRequest, parts: dict[str, str]) -> Any:
        return self._jobs[parts["job"]].body()

    def _act(self, request: SeenRequest, parts: dict[str, str]) -> Any:
        return self._jobs[parts["job"]].act(request.body["type"], request.body.get("stepIds"))

    def _read_comments(self, _: SeenRequest, parts: dict[str, str]) -> Any:
        return {"jobComments": self._jobs[parts["job"]].comments}

    def _add_comment(self, request: SeenRequest, parts: dict[str, str]) -> Any:
        job, comment_id = self._jobs[parts["job"]], uuid.uuid4().hex[:22]
        comment = {"jobId": job.job_id, "commentId": comment_id, "comment": request.body["comment"]}
        job.comments.append(comment)
        job.emit("JobCommentUpdated", adds=[comment])
        return {"commentId": comment_id}

    _ROUTES: ClassVar[list[tuple[str, str, Handler]]] = [
        ("POST", r"jobTemplates/[^/]+/job", _create),
        ("GET", _JOB, _read),
        ("POST", rf"{_JOB}/action", _act),
        ("GET", rf"{_JOB}/comments", _read_comments),
        ("POST", rf"{_JOB}/comments", _add_comment),
    ]

    # ------------------------------------------------------------ websockets

    def welcome(self, socket: FakeSocket) -> None:
        """Take a websocket, and stay with it until it ends."""
        with self._lock:
            self._sockets.add(socket)
            socket.send({"connected": True})
        try:
            for frame in socket.frames():
                with self._lock:
                    self._take(socket, frame)
        finally:
            with self._lock:
                self._sockets.discard(socket)

    def _tell(self, job: FakeJob, envelope: Envelope) -> None:
        with self._lock:
            for socket in self._sockets:
                if job.job_id in socket.job_ids:
                    socket.send(envelope)

    def _take(self, socket: FakeSocket, frame: dict[str, Any]) -> None:
        kind = str(frame.get("msgType")).lower()
        if kind == "subscribe":
            self._subscribe(socket, frame)
        elif kind == "unsubscribe":
            socket.job_ids -= set(frame["jobIds"])
        else:
            self._answer_step(socket, frame)

    def _subscribe(self, socket: FakeSocket, frame: dict[str, Any]) -> None:
        for job_id in frame["jobIds"]:
            if job_id not in self._jobs:
                text = f"There is no job '{job_id}'."
                socket.reply("Error", frame, jobId=job_id, msg=text, msgCode="not_found")
                continue
            job, since = self._jobs[job_id], frame.get("since", {}).get(job_id)
            known = since is None or since["epoch"] == EPOCH
            for envelope in job.messages[since["seq"] :] if since and known else []:
                socket.send(envelope)
            socket.send(job.state(recovered=known, reason=None if known else "epoch_changed"))
            socket.job_ids.add(job_id)
        socket.reply("Ack", frame)

    def _answer_step(self, socket: FakeSocket, frame: dict[str, Any]) -> None:
        body = frame["message"]
        job = self._jobs.get(body["jobId"])
        reason = job.answer(body) if job is not None else "not_found"
        address = {name: body[name] for name in ("jobId", "stepId", "promptId") if name in body}
        if reason is None:
            socket.reply("Ack", frame, stage="stored", **address)
            socket.reply("StepAnswer", frame, stage="applied", **address)
        else:
            socket.reply("Error", frame, msgCode=reason, msg=f"The answer was not taken: {reason}.", **address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self._upgrade()
        else:
            self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing: the requests are in ``FakeServer.requests``."""

    @property
    def _fake(self) -> FakeServer:
        return cast("FakeServer", self.server.fake)  # type: ignore[attr-defined] # see FakeServer

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(raw) if raw else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self._fake.answer(SeenRequest(self.command, _below_item(self.path), body, headers))
        if answer is None:
            self.close_connection = True
            return
        status, content = answer
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _upgrade(self) -> None:
        self.close_connection = True
        socket = FakeSocket.accept(self.connection, self.path, self.headers.items())
        if socket is not None:
            self._fake.welcome(socket)


def _below_item(path: str) -> str:
    """What follows ``/{orgId}/{itemId}/``, without the query."""
    return "/".join(path.partition("?")[0].split("/")[3:])


def _error(status: int, name: str, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "type": name, "message": message, "details": []}}
