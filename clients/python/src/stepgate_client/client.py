"""The client of one workflow item: what can be done to jobs, and what happens to them."""

import ssl
import uuid
import weakref
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

import msgspec

from stepgate_client.administration import Administration
from stepgate_client.answering import REJECTIONS, AnswerChannel
from stepgate_client.answers import Answer, addressed
from stepgate_client.automations import Automations
from stepgate_client.backoff import Backoff
from stepgate_client.connector import Connector, StateListener
from stepgate_client.endpoint import Endpoint, TokenSource
from stepgate_client.errors import ActionRefused, AnswerRejected, ManageRefused, RequestRefused
from stepgate_client.item_setup import ItemSetup
from stepgate_client.job_handle import JobHandle
from stepgate_client.job_templates import JobTemplates
from stepgate_client.messages import JobState
from stepgate_client.models import (
    ActionResult,
    AnswerVerdict,
    AssignedType,
    Attachment,
    Comment,
    CreatedJobs,
    Diagram,
    HistoryEntry,
    Job,
    JobPage,
    JobStatistics,
    Location,
    ManageResult,
    Success,
)
from stepgate_client.notifications import Notifications, Position
from stepgate_client.people import People
from stepgate_client.rest import Rest
from stepgate_client.rest import part as _part
from stepgate_client.saved_searches import SavedSearches
from stepgate_client.webhooks import Feature, WebhookConnections

DEFAULT_ITEM = "00000000000000000000000000000001"
"""The item of a new server."""

INTRODUCTION_TEMPLATE = "Q5-nYVlCTBOZ4ShEdDsglA"
"""The job template of a new item."""

ManageType = Literal["Close", "Reopen", "Delete", "Upgrade"]


class Client:
    """One user's access to one workflow item. An asynchronous context manager; ``close`` ends everything it opened.

    Args:
        url: root of the server, such as ``https://host:8080``.
        token: a bearer token; or
        get_token: gives a valid token, plain or async, asked for each call and each connection.
        item_id: the workflow item.
        org_id: the organisation; ``workflow`` on a server of one's own.
        tls: certificates to trust for ``https``; without it the system's, and those of ``SSL_CERT_FILE``.
        timeout_s: seconds a REST call may wait for the server.
        retries: how often a REST call that failed for a passing reason is made again, where that is safe: all but
            deletions and uploads. Those that write go along with an ``Idempotency-Key``, so they count once.
        backoff: the pauses between attempts, of REST calls and to connect a websocket.

    ``item`` reads and changes what is set up in the item, ``people`` who may do what there,
    ``saved_searches`` what is searched for often, ``job_templates`` what jobs are made from, ``automations`` what makes
    jobs by itself, ``webhooks`` the connections to feature services; ``administration`` makes, exports
    and imports whole items. Calls raise the errors of ``stepgate_client.errors``; each may raise
    ConnectionFailed, Unavailable, Unauthenticated, PermissionDenied, NotFound and RequestRefused.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        get_token: TokenSource | None = None,
        item_id: str = DEFAULT_ITEM,
        org_id: str = "workflow",
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 30.0,
        retries: int = 2,
        backoff: Backoff | None = None,
    ) -> None:
        if (token is None) == (get_token is None):
            raise ValueError("Give a token, or get_token, and not both.")
        source: TokenSource = get_token if get_token is not None else lambda: token or ""
        tls = (tls or ssl.create_default_context()) if url.lower().startswith("https:") else None
        self._endpoint = Endpoint(url, org_id, item_id, source, tls)
        self._backoff = backoff or Backoff()
        self._rest = Rest(self._endpoint, timeout_s, retries, self._backoff)
        self.item = ItemSetup(self._rest)
        self.people = People(self._rest)
        self.saved_searches = SavedSearches(self._rest)
        self.administration = Administration(self._rest.below(self._endpoint.administration_url), item_id)
        self.job_templates = JobTemplates(self._rest)
        self.automations = Automations(self._rest)
        self.webhooks = WebhookConnections(self._rest)
        self._answers = AnswerChannel(self._endpoint, Connector(self._endpoint, self._backoff))
        self._notifications: weakref.WeakSet[Notifications] = weakref.WeakSet()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all sockets; running iterations end. Idempotent."""
        for notifications in list(self._notifications):
            await notifications.close()
        await self._answers.close()
        await self._rest.close()

    # ------------------------------------------------------------ jobs

    async def create_jobs(
        self, template_id: str = INTRODUCTION_TEMPLATE, *, idempotency_key: str | None = None, **overrides: Any
    ) -> CreatedJobs:
        """Create jobs from a template.

        Args:
            template_id: by default the introduction of a new item.
            idempotency_key: any text of yours, such as a UUID; a new one by default. The same call with the same key
                may be made again, also by another process: for a day it gives the same jobs, and makes no others.
            **overrides: members of the wire's body in snake_case, such as ``job_name``, ``number_of_jobs``,
                ``priority``, ``assigned_type`` and ``assigned_to`` (rest.md 5.1).
        """
        body = {_camel(name): value for name, value in overrides.items() if value is not None}
        return await self._rest.post(f"jobTemplates/{_part(template_id)}/job", body, CreatedJobs, key=idempotency_key)

    async def get_job(self, job_id: str, *, properties: bool = False, holds: bool = False) -> Job:
        """Read a job, with its extended properties and all its holds (past ones too) where asked for."""
        return await self._rest.get(f"jobs/{_part(job_id)}", Job, extProps=properties, holds=holds)

    async def update_job(self, job_id: str, **changes: Any) -> None:
        """Change members of a job, its extended properties and related rows.

        Args:
            job_id: the job.
            **changes: members of the wire's body in snake_case (rest.md 5.5), such as ``notes``, ``due_date``,
                ``extended_properties=[{"identifier": "site.acres", "value": "4"}]`` and ``allow_running_step_id``;
                what is None stays as it is.
        """
        body = {_camel(name): value for name, value in changes.items() if value is not None}
        await self._rest.post(f"jobs/{_part(job_id)}/update", body, Success)

    async def diagram(self, job_id: str) -> Diagram:
        """Read the diagram version a job follows."""
        return await self._rest.get(f"jobs/{_part(job_id)}/diagram", Diagram)

    async def history(self, job_id: str) -> list[HistoryEntry]:
        """Read what happened to a job, oldest first."""
        return (await self._rest.get(f"jobs/{_part(job_id)}/history", _History)).job_history

    async def comments(self, job_id: str) -> list[Comment]:
        """Read a job's comments, oldest first."""
        return (await self._rest.get(f"jobs/{_part(job_id)}/comments", _Comments)).job_comments

    async def add_comment(self, job_id: str, comment: str) -> str:
        """Write a comment; returns its id."""
        body = {"comment": comment}
        return (await self._rest.post(f"jobs/{_part(job_id)}/comments", body, _CommentId)).comment_id

    # ------------------------------------------------------------ attachments and place

    async def attachments(self, job_id: str) -> list[Attachment]:
        """List a job's attachments, in the order they were added."""
        return (await self._rest.get(f"jobs/{_part(job_id)}/attachments", _Attachments)).attachments

    async def add_attachment(
        self,
        job_id: str,
        file: bytes | BinaryIO,
        name: str,
        *,
        alias: str | None = None,
        folder: str | None = None,
        step_id: str | None = None,
        media_type: str | None = None,
    ) -> str:
        """Attach a file; returns the attachment's id.

        Args:
            job_id: the job.
            file: its bytes, or a file opened for reading bytes, which is sent as it is read.
            name: what the file is called when it is saved again.
            alias: what it is called in lists; the name by default.
            folder: by default the one the step asks for, else ``General``.
            step_id: a step of the job's diagram that it is for.
            media_type: by default what the server thinks of the name.
        """
        fields = {"alias": alias, "folder": folder, "stepId": step_id}
        added = await self._rest.upload(
            f"jobs/{_part(job_id)}/attachments",
            ("attachment", name, file, media_type),
            {name: text for name, text in fields.items() if text is not None},
            _AttachmentAdded,
        )
        return added.url.rpartition("/")[2]

    async def add_link(
        self,
        job_id: str,
        url: str,
        *,
        alias: str | None = None,
        folder: str | None = None,
        step_id: str | None = None,
    ) -> str:
        """Attach a web address, a path, or the text of any document id; returns the attachment's id."""
        body = {"attachments": [{"url": url, "alias": alias, "folder": folder}], "stepId": step_id}
        added = await self._rest.post(f"jobs/{_part(job_id)}/attachmentslinked", body, _LinksAdded)
        return added.attachments[0].attachment_id

    async def read_attachment(self, job_id: str, attachment_id: str) -> bytes:
        """Read a whole file; of a link, its text."""
        return b"".join([piece async for piece in self.stream_attachment(job_id, attachment_id)])

    def stream_attachment(self, job_id: str, attachment_id: str) -> AsyncIterator[bytes]:
        """Read a file in pieces as they come. Raises ConnectionFailed when it breaks off."""
        return self._rest.download(f"jobs/{_part(job_id)}/attachments/{_part(attachment_id)}")

    async def attachment_url(self, job_id: str, attachment_id: str, *, include_token: bool = True) -> str:
        """The address at which a browser shows an attachment; with the token, for whoever must have no other way in.

        An address with a token gives its holder everything the user may do, until the token ends.
        """
        url = f"{self._endpoint.item_url}/jobs/{_part(job_id)}/attachments/{_part(attachment_id)}"
        return f"{url}?token={_part(await self._endpoint.token())}" if include_token else url

    async def update_attachment(
        self, job_id: str, attachment_id: str, *, alias: str | None = None, folder: str | None = None
    ) -> None:
        """Give an attachment another alias, another folder, or both."""
        body = {"alias": alias, "folder": folder}
        await self._rest.post(f"jobs/{_part(job_id)}/attachments/{_part(attachment_id)}", body, Success)

    async def delete_attachment(self, job_id: str, attachment_id: str) -> None:
        """Delete an attachment and its file. Raises NotFound when it is gone already."""
        await self._rest.delete(f"jobs/{_part(job_id)}/attachments/{_part(attachment_id)}", Success)

    async def location(self, job_id: str) -> Location | None:
        """Read where a job is; None: nowhere."""
        found = await self._rest.get(f"jobs/{_part(job_id)}/location", Location)
        return None if found.geometry_type == "None" else found

    async def set_location(self, job_id: str, geometry: Mapping[str, Any] | str | None) -> None:
        """Set where a job is, by Esri geometry JSON in degrees or Web Mercator; None: nowhere."""
        text = geometry if isinstance(geometry, str) else msgspec.json.encode(geometry or {}).decode()
        await self._rest.put(f"jobs/{_part(job_id)}/location", {"location": {"geometry": text}}, Success)

    # ------------------------------------------------------------ managing

    async def manage(self, type: ManageType, job_ids: Iterable[str]) -> ManageResult:  # noqa: A002 - the wire's word
        """Close, reopen, delete or upgrade jobs.

        Raises ManageRefused when one of them was refused; the others are done.
        """
        body = {"type": type, "jobIds": list(job_ids)}
        result = await self._rest.post("jobs/manage", body, ManageResult)
        if not result.success:
            raise ManageRefused(result)
        return result

    async def assign(
        self, job_id: str, step_id: str | None = None, *, user: str | None = None, group: str | None = None
    ) -> None:
        """Give a current step to a user or a group (its id); to nobody without either.

        ``step_id`` None means the job's only current step.
        """
        if user is not None and group is not None:
            raise ValueError("Give a user or a group, and not both.")
        kind = AssignedType.USER if user else AssignedType.GROUP if group else AssignedType.UNASSIGNED
        body = {"assignedType": kind, "assignedTo": user or group}
        await self._rest.post(f"jobs/{_part(job_id)}/{_part(step_id or 'currentStep')}", body, Success)

    async def query_jobs(
        self,
        q: str | None = None,
        *,
        search: str | None = None,
        fields: Iterable[str] = (),
        sort: Iterable[str] = (),
        start: int = 0,
        num: int = 50,
        extent: str | None = None,
        has_location: bool = False,
    ) -> JobPage:
        """Read a page of the jobs that match; the next one begins at ``next_start``.

        Args:
            q: condition, such as ``priority='High' AND closed=0``; with ``search`` it begins with ``AND`` or ``OR``.
            search: words that must all be found in a job.
            fields: what to read of each job; by default its name, priority, due date and current step.
            sort: fields to sort by; ``-`` before a name reverses its order.
            start: how many jobs to leave out.
            num: how many to read at most.
            extent: ``xmin,ymin,xmax,ymax,wkid`` that the job's place touches.
            has_location: only jobs with a place.
        """
        body = _which(q, search, extent, has_location)
        order = [{"field": name.lstrip("-"), "sortOrder": "Desc" if name.startswith("-") else "Asc"} for name in sort]
        body |= {"fields": list(fields), "sortFields": order, "start": start, "num": num}
        return await self._rest.post("jobs/search", body, JobPage)

    async def job_statistics(
        self,
        q: str | None = None,
        *,
        search: str | None = None,
        group_by: str | None = None,
        extent: str | None = None,
        has_location: bool = False,
    ) -> JobStatistics:
        """Count the jobs that match, and those with each value of a field; arguments as ``query_jobs``."""
        body = _which(q, search, extent, has_location) | {"groupBy": group_by}
        return await self._rest.post("jobs/statistics", body, JobStatistics)

    async def evaluate_arcade(
        self,
        expression: str,
        *,
        job_id: str | None = None,
        parse_mode: Literal["Standard", "URL", "Query"] = "Standard",
    ) -> str:
        """Evaluate an Arcade expression; returns its value as text.

        Args:
            expression: for instance ``'Job ' + JobName($job)``.
            job_id: what ``$job`` stands for.
            parse_mode: how values of job functions are written: as they are, for an address, for a search condition.
        """
        body: dict[str, object] = {"expression": expression, "contextType": "BaseContext", "parseMode": parse_mode}
        if job_id is not None:
            body |= {"contextType": "JobContext", "context": {"jobId": job_id}}
        return (await self._rest.post("evaluateArcade", body, _Evaluated)).result

    # ------------------------------------------------------------ actions

    async def run(self, job_id: str, *step_ids: str) -> ActionResult:
        """Start steps; without ``step_ids``, all current ones. This and the other actions raise ActionRefused."""
        return await self._act(job_id, "Run", step_ids)

    async def finish(self, job_id: str, *step_ids: str) -> ActionResult:
        """Finish steps and move on along the paths that fit."""
        return await self._act(job_id, "Finish", step_ids)

    async def stop(self, job_id: str, *step_ids: str) -> ActionResult:
        """Stop running steps: people's work is paused, processing is cancelled."""
        return await self._act(job_id, "Stop", step_ids)

    async def refresh(self, job_id: str, *step_ids: str) -> ActionResult:
        """Ask running steps to look at their service again (``RefreshStatus``)."""
        return await self._act(job_id, "RefreshStatus", step_ids)

    async def set_current_step(self, job_id: str, step_id: str) -> ActionResult:
        """Make one step of the diagram the only current one."""
        return await self._act(job_id, "SetCurrentStep", (step_id,))

    async def hold(
        self,
        job_id: str,
        *step_ids: str,
        until: datetime | None = None,
        other_job_id: str | None = None,
        other_step_id: str | None = None,
        feature: Feature | None = None,
    ) -> ActionResult:
        """Keep steps from running: until a moment (aware), until another job (or a step of it) is done or a feature
        meets a condition, whichever comes first; by hand without any of them."""
        if until is not None and until.tzinfo is None:
            raise ValueError("The moment needs a time zone.")
        more = {"holdScheduledRelease": until, "dependentJobId": other_job_id, "dependentStepId": other_step_id}
        more |= feature.members() if feature else {}
        return await self._act(job_id, "Hold", step_ids, more)

    async def release_hold(
        self,
        job_id: str,
        *step_ids: str,
        other_job_id: str | None = None,
        other_step_id: str | None = None,
        webhook_connection_id: str | None = None,
    ) -> ActionResult:
        """Release manual and scheduled holds or, with ``other_job_id`` or ``webhook_connection_id``, those
        dependencies; without ``step_ids`` on all held steps."""
        more = {
            "dependentJobId": other_job_id,
            "dependentStepId": other_step_id,
            "webhookConnectionId": webhook_connection_id,
        }
        return await self._act(job_id, "ReleaseHold", step_ids, more)

    # ------------------------------------------------------------ live

    def notifications(
        self,
        *job_ids: str,
        since: Mapping[str, Position] | None = None,
        sender_id: str | None = None,
        on_state: StateListener | None = None,
    ) -> Notifications:
        """Watch jobs: an asynchronous iterator over their messages, see ``Notifications``.

        Args:
            *job_ids: jobs of this item; more can be added later.
            since: per job, the last message seen earlier; what came after it is sent first.
            sender_id: echoed in each ``JobState``.
            on_state: told about each change of the connection.
        """
        connector = Connector(self._endpoint, self._backoff, on_state)
        notifications = Notifications(self._endpoint, connector, job_ids, since or {}, sender_id)
        self._notifications.add(notifications)
        return notifications

    def job(self, job_id: str) -> JobHandle:
        """Follow one job: actions that return when the step has ended, asks, or failed, see ``JobHandle``."""
        return JobHandle(self, job_id)

    async def job_state(self, job_id: str) -> JobState:
        """Read how a job stands, its open questions included, as a new subscriber is told.

        Raises SubscriptionRefused when the job may not be watched.
        """
        async with self.notifications(job_id) as messages:
            async for message in messages:
                if isinstance(message, JobState):
                    return message
        raise AssertionError("an open subscription ends with an error or a JobState")

    async def answer(
        self,
        job_id: str,
        step_id: str,
        answer: Answer,
        *,
        prompt_id: str | None = None,
        request_id: str | None = None,
        timeout_s: float = 30.0,
    ) -> AnswerVerdict:
        """Answer a step that waits for its user, over the websocket, and wait until the answer is applied.

        Args:
            job_id: the job.
            step_id: its step that waits.
            answer: what the user says.
            prompt_id: the question meant; without it, the open one of the step.
            timeout_s: seconds to wait for the final verdict.
            request_id: makes a repetition of this call safe, also from another process; by default a new one.

        Raises:
            AnswerRejected: it does not count; ``reason`` says why.
            VerdictMissing: it may count; ``request_id`` can be used to ask again.
        """
        verdict = None
        async for verdict in self.answer_stages(  # noqa: B007 - the last one is wanted
            job_id, step_id, answer, prompt_id=prompt_id, request_id=request_id, timeout_s=timeout_s
        ):
            pass
        assert verdict is not None, "the stages end with a final one or an error"  # noqa: S101 - tells mypy
        return verdict

    def answer_stages(
        self,
        job_id: str,
        step_id: str,
        answer: Answer,
        *,
        prompt_id: str | None = None,
        request_id: str | None = None,
        timeout_s: float = 30.0,
    ) -> AsyncIterator[AnswerVerdict]:
        """Do as ``answer`` does, as an asynchronous iterator: ``stored`` (it counts), then ``applied``."""
        request_id = request_id or uuid.uuid4().hex
        body = addressed(answer, job_id=job_id, step_id=step_id, prompt_id=prompt_id, request_id=request_id)
        return self._answers.verdicts(body, request_id, timeout_s)

    async def answer_over_rest(
        self,
        job_id: str,
        step_id: str,
        answer: Answer,
        *,
        prompt_id: str | None = None,
        request_id: str | None = None,
    ) -> AnswerVerdict:
        """Answer a step by one HTTP call, where websockets cannot pass.

        Raises AnswerRejected. The verdict is ``stored`` when applying takes longer than the server waits.
        """
        request_id = request_id or uuid.uuid4().hex
        body = addressed(answer, job_id=job_id, step_id=step_id, prompt_id=prompt_id, request_id=request_id)
        path = f"jobs/{_part(job_id)}/steps/{_part(step_id)}/response"
        try:
            return await self._rest.post(path, body, AnswerVerdict, keyed=False)
        except RequestRefused as error:
            if error.type in REJECTIONS:
                raise AnswerRejected(error.message, error.type) from error
            raise

    async def _act(
        self,
        job_id: str,
        kind: str,
        step_ids: tuple[str, ...],
        more: Mapping[str, object] | None = None,
    ) -> ActionResult:
        body: dict[str, object] = {"type": kind}
        if step_ids:
            body["stepIds"] = step_ids
        body |= {name: value for name, value in (more or {}).items() if value is not None}
        result = await self._rest.post(f"jobs/{_part(job_id)}/action", body, ActionResult)
        if not result.success:
            raise ActionRefused(result.step_responses)
        return result


class _History(msgspec.Struct, rename="camel"):
    job_history: list[HistoryEntry]


class _Comments(msgspec.Struct, rename="camel"):
    job_comments: list[Comment]


class _Attachments(msgspec.Struct):
    attachments: list[Attachment]


class _AttachmentAdded(msgspec.Struct):
    url: str


class _LinkAdded(msgspec.Struct, rename="camel"):
    attachment_id: str


class _LinksAdded(msgspec.Struct):
    attachments: list[_LinkAdded]


class _CommentId(msgspec.Struct, rename="camel"):
    comment_id: str


class _Evaluated(msgspec.Struct):
    result: str


def _which(q: str | None, search: str | None, extent: str | None, has_location: bool) -> dict[str, object]:
    return {"q": q, "search": search, "spatialExtent": extent, "hasLocation": has_location}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
