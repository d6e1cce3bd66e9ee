"""The client without ``await``: ``Client`` and its parts, with the methods of the asynchronous ones.

    with Client(url, token=token) as client:
        job = client.job(client.create_jobs().job_ids[0])
        print(job.run())

It runs an event loop in a thread of its own, which ``close`` ends; it may be used from several threads. Callbacks are
called in that thread, and must not call the client. Made by ``make_blocking.py`` from the asynchronous client: change
that one.
"""

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from stepgate_client import (
    administration,
    automations,
    client,
    item_setup,
    job_handle,
    job_templates,
    people,
    saved_searches,
    webhooks,
)
from stepgate_client.administration import LogLine, OnBytes
from stepgate_client.answers import Answer
from stepgate_client.automations import Automation, AutomationChange, Edited, ListedAutomation, NewAutomation
from stepgate_client.backoff import Backoff
from stepgate_client.blocking_loop import Loop
from stepgate_client.blocking_notifications import Notifications
from stepgate_client.client import DEFAULT_ITEM, INTRODUCTION_TEMPLATE, ManageType
from stepgate_client.connector import StateListener
from stepgate_client.endpoint import TokenSource
from stepgate_client.item_setup import (
    CreatedDiagram,
    DiagramLine,
    DiagramWarning,
    Setting,
    StoredTemplate,
    UpgradedDiagram,
)
from stepgate_client.job_handle import Ending, OnProgress
from stepgate_client.job_templates import JobTemplateLine
from stepgate_client.messages import JobState, StepInfoRequired, StepProgress
from stepgate_client.models import (
    ActionResult,
    AnswerVerdict,
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
)
from stepgate_client.notifications import Position
from stepgate_client.people import ListedGroup, ListedUser, Role, User
from stepgate_client.saved_searches import SavedSearch, SearchType
from stepgate_client.webhooks import ChangeType, Feature, WebhookChange, WebhookConnection


class ItemSetup:
    """Reads and changes what administrators set up; ``Client.item`` is one. Calls raise as those of ``Client``."""

    def __init__(self, loop: Loop, asynchronous: item_setup.ItemSetup) -> None:
        self._loop = loop
        self._asynchronous = asynchronous

    def diagrams(self) -> list[DiagramLine]:
        """List the diagrams, in the order they were created."""
        return self._loop.run(self._asynchronous.diagrams())

    def diagram(self, diagram_id: str, version: int | None = None) -> Diagram:
        """Read a version: by default the newest activated one, -1 for the draft."""
        return self._loop.run(self._asynchronous.diagram(diagram_id, version))

    def create_diagram(self, diagram: Mapping[str, Any]) -> CreatedDiagram:
        """Store a new diagram, a document as in rest.md 6: as version 1 when it is ``active``, else as a draft."""
        return self._loop.run(self._asynchronous.create_diagram(diagram))

    def update_diagram(
        self, diagram_id: str, diagram: Mapping[str, Any], *, delete_draft: bool = True
    ) -> tuple[DiagramWarning, ...]:
        """Store the next version when ``active``, else the draft; returns what is wrong with an active one."""
        return self._loop.run(self._asynchronous.update_diagram(diagram_id, diagram, delete_draft=delete_draft))

    def delete_diagram(self, diagram_id: str) -> None:
        """Delete a diagram with all its versions; refused while jobs follow it or job templates use it."""
        self._loop.run(self._asynchronous.delete_diagram(diagram_id))

    def delete_diagram_version(self, diagram_id: str, version: int) -> None:
        """Delete a version, or the draft (-1); refused while jobs follow it or new ones would."""
        self._loop.run(self._asynchronous.delete_diagram_version(diagram_id, version))

    def upgraded_diagram(self, diagram_id: str, version: int) -> UpgradedDiagram:
        """Read a version rewritten to centralized data references; nothing is saved."""
        return self._loop.run(self._asynchronous.upgraded_diagram(diagram_id, version))

    def settings(self, *, include_system: bool = True) -> list[Setting]:
        """Read the settings, those with a meaning for the server included."""
        return self._loop.run(self._asynchronous.settings(include_system=include_system))

    def update_settings(self, values: Mapping[str, str], *, encrypted: bool | None = None) -> None:
        """Add or change settings; others stay. ``encrypted`` makes them secrets (``smtpPassword`` always is one)."""
        self._loop.run(self._asynchronous.update_settings(values, encrypted=encrypted))

    def lookups(self, lookup_type: str) -> dict[str, int]:
        """Read the values of a lookup type, such as ``priority``, by name and in order."""
        return self._loop.run(self._asynchronous.lookups(lookup_type))

    def replace_lookups(self, lookup_type: str, values: Mapping[str, int]) -> None:
        """Make a lookup type, or give it these values and no others."""
        self._loop.run(self._asynchronous.replace_lookups(lookup_type, values))

    def delete_lookups(self, lookup_type: str) -> None:
        """Delete a lookup type of one's own."""
        self._loop.run(self._asynchronous.delete_lookups(lookup_type))

    def stored_templates(self, template_type: str) -> list[StoredTemplate]:
        """List the stored templates of a type: ``email``, ``webRequest``, or one's own."""
        return self._loop.run(self._asynchronous.stored_templates(template_type))

    def stored_template(self, template_type: str, template_id: str) -> StoredTemplate:
        """Read a stored template with its details."""
        return self._loop.run(self._asynchronous.stored_template(template_type, template_id))

    def create_stored_template(
        self, template_type: str, name: str, details: str, *, template_id: str | None = None
    ) -> str:
        """Store a template, ``details`` being JSON text; returns its id."""
        return self._loop.run(
            self._asynchronous.create_stored_template(template_type, name, details, template_id=template_id)
        )

    def update_stored_template(
        self, template_type: str, template_id: str, *, name: str | None = None, details: str | None = None
    ) -> None:
        """Change a stored template's name, its details, or both."""
        self._loop.run(
            self._asynchronous.update_stored_template(template_type, template_id, name=name, details=details)
        )

    def delete_stored_template(self, template_type: str, template_id: str) -> None:
        """Delete a stored template; what names it sends nothing any more."""
        self._loop.run(self._asynchronous.delete_stored_template(template_type, template_id))


class People:
    """Reads who works in the item, and changes what they may do; ``Client.people`` is one. Calls raise as those of
    ``Client``; changes need the privilege ``adminAdvanced``."""

    def __init__(self, loop: Loop, asynchronous: people.People) -> None:
        self._loop = loop
        self._asynchronous = asynchronous

    def users(self) -> list[ListedUser]:
        """List the users with a role."""
        return self._loop.run(self._asynchronous.users())

    def user(self, username: str) -> User:
        """Read what a user may do, oneself for instance."""
        return self._loop.run(self._asynchronous.user(username))

    def groups(self) -> list[ListedGroup]:
        """List the groups with a role."""
        return self._loop.run(self._asynchronous.groups())

    def roles_of_group(self, group_id: str) -> list[str]:
        """Read the names of a group's roles."""
        return self._loop.run(self._asynchronous.roles_of_group(group_id))

    def update_group(self, group_id: str, *, give: Iterable[str] = (), take: Iterable[str] = ()) -> None:
        """Give a group roles and take others from it, all or none."""
        self._loop.run(self._asynchronous.update_group(group_id, give=give, take=take))

    def roles(self) -> list[Role]:
        """List the roles of the item."""
        return self._loop.run(self._asynchronous.roles())

    def role(self, name: str) -> Role:
        """Read a role."""
        return self._loop.run(self._asynchronous.role(name))

    def put_role(self, name: str, privileges: Iterable[str], *, description: str = "") -> None:
        """Make a role, or replace it whole."""
        self._loop.run(self._asynchronous.put_role(name, privileges, description=description))

    def delete_role(self, name: str) -> bool:
        """Delete a role; False when there was none."""
        return self._loop.run(self._asynchronous.delete_role(name))


class SavedSearches:
    """Reads and changes saved searches; ``Client.saved_searches`` is one. Calls raise as those of ``Client``; changes
    need the privilege ``adminBasic``."""

    def __init__(self, loop: Loop, asynchronous: saved_searches.SavedSearches) -> None:
        self._loop = loop
        self._asynchronous = asynchronous

    def all(self, search_type: SearchType | None = None) -> list[SavedSearch]:
        """List the searches one may see; without a type, those of both."""
        return self._loop.run(self._asynchronous.all(search_type))

    def create(
        self,
        name: str,
        definition: Mapping[str, Any] | None = None,
        *,
        search_type: SearchType = "Standard",
        search_id: str | None = None,
        folder: str | None = None,
        color_ramp: str | None = None,
        sort_index: int | None = None,
    ) -> str:
        """Save a search, which needs a ``definition``, or a chart, which needs a ``color_ramp``; returns its id."""
        return self._loop.run(
            self._asynchronous.create(
                name,
                definition,
                search_type=search_type,
                search_id=search_id,
                folder=folder,
                color_ramp=color_ramp,
                sort_index=sort_index,
            )
        )

    def replace(self, search: SavedSearch) -> None:
        """Replace the search that has this id; whom it is shared with stays."""
        self._loop.run(self._asynchronous.replace(search))

    def delete(self, search_id: str) -> None:
        """Delete a search."""
        self._loop.run(self._asynchronous.delete(search_id))

    def share(self, search_id: str, group_ids: Iterable[str]) -> None:
        """Show a search only to members of these groups; without any, to everybody."""
        self._loop.run(self._asynchronous.share(search_id, group_ids))

    def shared_with(self, search_id: str) -> tuple[str, ...]:
        """Read the ids of the groups a search is shared with."""
        return self._loop.run(self._asynchronous.shared_with(search_id))


class Administration:
    """Makes and deletes items, and moves configurations between them; ``Client.administration`` is one.

    What concerns one item is about the client's own unless ``item_id`` names another. Making items takes a portal role,
    exports and imports ``adminAdvanced``. Calls raise as those of ``Client``."""

    def __init__(self, loop: Loop, asynchronous: administration.Administration) -> None:
        self._loop = loop
        self._asynchronous = asynchronous

    def create_item(self, name: str, *, idempotency_key: str | None = None) -> str:
        """Make an item with the contents of a new one; returns its id. One owns it, and administers it."""
        return self._loop.run(self._asynchronous.create_item(name, idempotency_key=idempotency_key))

    def creation_status(self, item_id: str | None = None) -> str:
        """Ask whether an item is there: ``Succeeded``, or NotFound is raised."""
        return self._loop.run(self._asynchronous.creation_status(item_id))

    def upgrade_item(self, item_id: str | None = None) -> None:
        """Bring an item into the newest form."""
        self._loop.run(self._asynchronous.upgrade_item(item_id))

    def delete_item(self, item_id: str) -> None:
        """Delete an item with all its jobs. Nobody finds it from then on."""
        self._loop.run(self._asynchronous.delete_item(item_id))

    def export_configuration(
        self,
        item_id: str | None = None,
        *,
        job_template_ids: Iterable[str] | None = None,
        diagram_ids: Iterable[str] | None = None,
        include_other: bool = True,
        passphrase: str | None = None,
        on_bytes: OnBytes | None = None,
    ) -> bytes:
        """Export all that is set up in an item, as the bytes of a zip.

        Args:
            item_id: the item.
            job_template_ids: only these; none of them for an empty list.
            diagram_ids: likewise; each template needs its diagram.
            include_other: with lookups, roles, searches, settings and stored templates.
            passphrase: with secrets, encrypted with it.
            on_bytes: told as the file comes."""
        return self._loop.run(
            self._asynchronous.export_configuration(
                item_id,
                job_template_ids=job_template_ids,
                diagram_ids=diagram_ids,
                include_other=include_other,
                passphrase=passphrase,
                on_bytes=on_bytes,
            )
        )

    def import_configuration(
        self,
        file: bytes | BinaryIO,
        item_id: str | None = None,
        *,
        passphrase: str | None = None,
        overwrite: bool = True,
        mapping: str | None = None,
    ) -> None:
        """Import a configuration, all of it or nothing.

        Args:
            file: the zip, or a file opened for reading it.
            item_id: the item.
            passphrase: the one it was exported with.
            overwrite: replace what is there, in an item without jobs; otherwise the two are merged.
            mapping: who is meant by users and groups, as JSON (``fetch_mapping``)."""
        self._loop.run(
            self._asynchronous.import_configuration(
                file, item_id, passphrase=passphrase, overwrite=overwrite, mapping=mapping
            )
        )

    def start_export(
        self,
        item_id: str | None = None,
        *,
        job_template_ids: Iterable[str] | None = None,
        diagram_ids: Iterable[str] | None = None,
        include_other: bool = True,
        passphrase: str | None = None,
    ) -> str:
        """Export in the background; returns the export's id. ``ExportCompleted`` or ``ExportFailed`` comes to every
        websocket of the item. Arguments as in ``export_configuration``."""
        return self._loop.run(
            self._asynchronous.start_export(
                item_id,
                job_template_ids=job_template_ids,
                diagram_ids=diagram_ids,
                include_other=include_other,
                passphrase=passphrase,
            )
        )

    def fetch_export(self, export_id: str, item_id: str | None = None) -> bytes:
        """The zip of an export that is done; it is there for a day."""
        return self._loop.run(self._asynchronous.fetch_export(export_id, item_id))

    def fetch_mapping(self, export_id: str, item_id: str | None = None) -> str:
        """A mapping with everybody whom an export names, as JSON, to be filled in."""
        return self._loop.run(self._asynchronous.fetch_mapping(export_id, item_id))

    def start_import(
        self,
        file: bytes | BinaryIO,
        item_id: str | None = None,
        *,
        passphrase: str | None = None,
        overwrite: bool = True,
        mapping: str | None = None,
    ) -> None:
        """As ``import_configuration``, in the background: ``ImportCompleted`` or ``ImportFailed`` tells the end."""
        self._loop.run(
            self._asynchronous.start_import(file, item_id, passphrase=passphrase, overwrite=overwrite, mapping=mapping)
        )

    def logs(
        self,
        item_id: str | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        skip: int = 0,
        count: int = 100,
    ) -> list[LogLine]:
        """What went wrong in an item, newest first; ``start`` and ``end`` are aware moments."""
        return self._loop.run(self._asynchronous.logs(item_id, start=start, end=end, skip=skip, count=count))


class JobTemplates:
    """Reads and changes job templates; ``Client.job_templates`` is one. Calls raise as those of ``Client``; changes and
    whom a template is shared with need the privilege ``adminBasic``.

    A template travels as the mapping that the REST API knows (rest.md 14.2): what was read can be changed and sent."""

    def __init__(self, loop: Loop, asynchronous: job_templates.JobTemplates) -> None:
        self._loop = loop
        self._asynchronous = asynchronous

    def all(self) -> list[JobTemplateLine]:
        """List the templates one may use."""
        return self._loop.run(self._asynchronous.all())

    def get(self, template_id: str) -> dict[str, Any]:
        """Read a template."""
        return self._loop.run(self._asynchronous.get(template_id))

    def create(self, template: Mapping[str, Any]) -> str:
        """Create a template; returns its id. ``jobTemplateName``, ``diagramId``, ``diagramName``,
        ``defaultPriorityName`` and ``state`` must be there."""
        return self._loop.run(self._asynchronous.create(template))

    def update(self, template_id: str, template: Mapping[str, Any]) -> None:
        """Change a template; of the others than those ``create`` needs, what is missing stays as it is."""
        self._loop.run(self._asynchronous.update(template_id, template))

    def delete(self, template_id: str) -> None:
        """Delete a template that no job was made from."""
        self._loop.run(self._asynchronous.delete(template_id))

    def share(self, template_id: str, group_ids: Iterable[str]) -> None:
        """Let only members of these groups use a template; without any, everybody."""
        self._loop.run(self._asynchronous.share(template_id, group_ids))

    def shared_with(self, template_id: str) -> tuple[str, ...]:
        """Read the ids of the groups a template is shared with."""
        return self._loop.run(self._asynchronous.shared_with(template_id))


class Automations:
    """Reads and edits automations; ``Client.automations`` is one. Calls raise as those of ``Client``, and need the
    privilege ``adminBasic``."""

    def __init__(self, loop: Loop, asynchronous: automations.Automations) -> None:
        self._loop = loop
        self._asynchronous = asynchronous

    def all(self, template_id: str) -> list[ListedAutomation]:
        """List the automations of a template, in the order they were added."""
        return self._loop.run(self._asynchronous.all(template_id))

    def one(self, template_id: str, automation_id: str) -> Automation:
        """Read an automation. Raises NotFound where the template has no such one."""
        return self._loop.run(self._asynchronous.one(template_id, automation_id))

    def edit(
        self,
        template_id: str,
        *,
        adds: Iterable[NewAutomation] = (),
        updates: Iterable[AutomationChange] = (),
        deletes: Iterable[str] = (),
    ) -> Edited:
        """Add, change and delete automations, all or nothing."""
        return self._loop.run(self._asynchronous.edit(template_id, adds=adds, updates=updates, deletes=deletes))

    def execute_webhook(
        self,
        template_id: str,
        automation_id: str,
        payload: object,
        *,
        header: str,
        secret: str,
        idempotency_key: str | None = None,
    ) -> CreatedJobs:
        """Send a webhook's request: ``payload`` as JSON, and the secret in its header; signed with it where the header
        is ``x-esriHook-Signature``. Raises NotFound also for a wrong secret."""
        return self._loop.run(
            self._asynchronous.execute_webhook(
                template_id, automation_id, payload, header=header, secret=secret, idempotency_key=idempotency_key
            )
        )


class WebhookConnections:
    """Reads and changes webhook connections; ``Client.webhooks`` is one. Calls raise as those of ``Client``; all but
    ``all`` need the privilege ``adminBasic``."""

    def __init__(self, loop: Loop, asynchronous: webhooks.WebhookConnections) -> None:
        self._loop = loop
        self._asynchronous = asynchronous

    def all(self) -> list[WebhookConnection]:
        """List the connections, without secrets."""
        return self._loop.run(self._asynchronous.all())

    def get(self, connection_id: str) -> WebhookConnection:
        """Read a connection, its secret included."""
        return self._loop.run(self._asynchronous.get(connection_id))

    def create(
        self,
        name: str,
        item_id: str,
        secret: str,
        *,
        enabled: bool = True,
        manage: Iterable[ChangeType] = (),
        username: str | None = None,
        user_token: str | None = None,
        fallback_username: str | None = None,
        fallback_user_token: str | None = None,
    ) -> WebhookChange:
        """Create a connection.

        Args:
            item_id: of the feature service, or its address.
            manage: changes for which the server shall keep a webhook at the service; none: it keeps none.
            username: as whom holds are released, else as ``fallback_username``.
            user_token: of that user: of this server, or for the feature service."""
        return self._loop.run(
            self._asynchronous.create(
                name,
                item_id,
                secret,
                enabled=enabled,
                manage=manage,
                username=username,
                user_token=user_token,
                fallback_username=fallback_username,
                fallback_user_token=fallback_user_token,
            )
        )

    def replace(self, connection: WebhookConnection) -> WebhookChange:
        """Replace the connection that has this id by what was read with ``get`` and changed; the server goes on keeping
        the webhook at the service if it does."""
        return self._loop.run(self._asynchronous.replace(connection))

    def delete(self, connection_id: str) -> WebhookChange:
        """Delete a connection that nothing waits for."""
        return self._loop.run(self._asynchronous.delete(connection_id))


class JobHandle:
    """A job of ``client``, by its id. Nothing is opened before a method is called, and nothing stays open after it.

    Each action subscribes first and acts then, so that nothing can happen in between unseen; a connection that breaks
    meanwhile is made again. All of them raise the errors of the client's method of the same name, and those of
    ``Notifications``. Put ``asyncio.timeout`` around one to wait no longer: the step goes on, whoever waits."""

    def __init__(self, loop: Loop, asynchronous: job_handle.JobHandle) -> None:
        self._loop = loop
        self._asynchronous = asynchronous

    def state(self) -> JobState:
        """Read how the job stands, its open questions included."""
        return self._loop.run(self._asynchronous.state())

    def questions(self) -> list[StepInfoRequired]:
        """Read the questions that are open now."""
        return self._loop.run(self._asynchronous.questions())

    def run(self, step_id: str | None = None, *, on_progress: OnProgress | None = None) -> Ending:
        """Run a step and wait until it has ended or asks something.

        Args:
            step_id: the step; None means the only current one. ValueError names them when there are several.
            on_progress: told about each progress meanwhile."""
        return self._loop.run(self._asynchronous.run(step_id, on_progress=on_progress))

    def finish(self, step_id: str | None = None) -> Ending:
        """Finish a step and wait until the job has moved on; arguments as ``run``."""
        return self._loop.run(self._asynchronous.finish(step_id))

    def stop(self, step_id: str | None = None) -> Ending:
        """Stop a step and wait until it has stopped (``StepPaused``, ``StepCancelled``, ``StepStopped``) or ended.

        Arguments as ``run``."""
        return self._loop.run(self._asynchronous.stop(step_id))

    def answer(
        self, asked: StepInfoRequired, answer: Answer, *, on_progress: OnProgress | None = None
    ) -> Ending | StepProgress:
        """Answer what a step asks, and wait for what comes of it.

        Args:
            asked: the question, as ``run`` has returned it or ``questions`` lists it.
            answer: what the user says.
            on_progress: told about each progress meanwhile.

        Returns what ``run`` returns, or the ``StepProgress`` which says that the answer counts and the step stays until
        ``finish``. Raises AnswerRejected, having changed nothing."""
        return self._loop.run(self._asynchronous.answer(asked, answer, on_progress=on_progress))


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
    ConnectionFailed, Unavailable, Unauthenticated, PermissionDenied, NotFound and RequestRefused."""

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
        self._loop = Loop()
        self._asynchronous = client.Client(
            url,
            token=token,
            get_token=get_token,
            item_id=item_id,
            org_id=org_id,
            tls=tls,
            timeout_s=timeout_s,
            retries=retries,
            backoff=backoff,
        )
        self.item = ItemSetup(self._loop, self._asynchronous.item)
        self.people = People(self._loop, self._asynchronous.people)
        self.saved_searches = SavedSearches(self._loop, self._asynchronous.saved_searches)
        self.administration = Administration(self._loop, self._asynchronous.administration)
        self.job_templates = JobTemplates(self._loop, self._asynchronous.job_templates)
        self.automations = Automations(self._loop, self._asynchronous.automations)
        self.webhooks = WebhookConnections(self._loop, self._asynchronous.webhooks)

    def create_jobs(
        self, template_id: str = INTRODUCTION_TEMPLATE, *, idempotency_key: str | None = None, **overrides: Any
    ) -> CreatedJobs:
        """Create jobs from a template.

        Args:
            template_id: by default the introduction of a new item.
            idempotency_key: any text of yours, such as a UUID; a new one by default. The same call with the same key
                may be made again, also by another process: for a day it gives the same jobs, and makes no others.
            **overrides: members of the wire's body in snake_case, such as ``job_name``, ``number_of_jobs``,
                ``priority``, ``assigned_type`` and ``assigned_to`` (rest.md 5.1)."""
        return self._loop.run(self._asynchronous.create_jobs(template_id, idempotency_key=idempotency_key, **overrides))

    def get_job(self, job_id: str, *, properties: bool = False, holds: bool = False) -> Job:
        """Read a job, with its extended properties and all its holds (past ones too) where asked for."""
        return self._loop.run(self._asynchronous.get_job(job_id, properties=properties, holds=holds))

    def update_job(self, job_id: str, **changes: Any) -> None:
        """Change members of a job, its extended properties and related rows.

        Args:
            job_id: the job.
            **changes: members of the wire's body in snake_case (rest.md 5.5), such as ``notes``, ``due_date``,
                ``extended_properties=[{"identifier": "site.acres", "value": "4"}]`` and ``allow_running_step_id``;
                what is None stays as it is."""
        self._loop.run(self._asynchronous.update_job(job_id, **changes))

    def diagram(self, job_id: str) -> Diagram:
        """Read the diagram version a job follows."""
        return self._loop.run(self._asynchronous.diagram(job_id))

    def history(self, job_id: str) -> list[HistoryEntry]:
        """Read what happened to a job, oldest first."""
        return self._loop.run(self._asynchronous.history(job_id))

    def comments(self, job_id: str) -> list[Comment]:
        """Read a job's comments, oldest first."""
        return self._loop.run(self._asynchronous.comments(job_id))

    def add_comment(self, job_id: str, comment: str) -> str:
        """Write a comment; returns its id."""
        return self._loop.run(self._asynchronous.add_comment(job_id, comment))

    def attachments(self, job_id: str) -> list[Attachment]:
        """List a job's attachments, in the order they were added."""
        return self._loop.run(self._asynchronous.attachments(job_id))

    def add_attachment(
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
            media_type: by default what the server thinks of the name."""
        return self._loop.run(
            self._asynchronous.add_attachment(
                job_id, file, name, alias=alias, folder=folder, step_id=step_id, media_type=media_type
            )
        )

    def add_link(
        self, job_id: str, url: str, *, alias: str | None = None, folder: str | None = None, step_id: str | None = None
    ) -> str:
        """Attach a web address, a path, or the text of any document id; returns the attachment's id."""
        return self._loop.run(self._asynchronous.add_link(job_id, url, alias=alias, folder=folder, step_id=step_id))

    def read_attachment(self, job_id: str, attachment_id: str) -> bytes:
        """Read a whole file; of a link, its text."""
        return self._loop.run(self._asynchronous.read_attachment(job_id, attachment_id))

    def stream_attachment(self, job_id: str, attachment_id: str) -> Iterator[bytes]:
        """Read a file in pieces as they come. Raises ConnectionFailed when it breaks off."""
        return self._loop.iterate(self._asynchronous.stream_attachment(job_id, attachment_id))

    def attachment_url(self, job_id: str, attachment_id: str, *, include_token: bool = True) -> str:
        """The address at which a browser shows an attachment; with the token, for whoever must have no other way in.

        An address with a token gives its holder everything the user may do, until the token ends."""
        return self._loop.run(self._asynchronous.attachment_url(job_id, attachment_id, include_token=include_token))

    def update_attachment(
        self, job_id: str, attachment_id: str, *, alias: str | None = None, folder: str | None = None
    ) -> None:
        """Give an attachment another alias, another folder, or both."""
        self._loop.run(self._asynchronous.update_attachment(job_id, attachment_id, alias=alias, folder=folder))

    def delete_attachment(self, job_id: str, attachment_id: str) -> None:
        """Delete an attachment and its file. Raises NotFound when it is gone already."""
        self._loop.run(self._asynchronous.delete_attachment(job_id, attachment_id))

    def location(self, job_id: str) -> Location | None:
        """Read where a job is; None: nowhere."""
        return self._loop.run(self._asynchronous.location(job_id))

    def set_location(self, job_id: str, geometry: Mapping[str, Any] | str | None) -> None:
        """Set where a job is, by Esri geometry JSON in degrees or Web Mercator; None: nowhere."""
        self._loop.run(self._asynchronous.set_location(job_id, geometry))

    def manage(self, type: ManageType, job_ids: Iterable[str]) -> ManageResult:
        """Close, reopen, delete or upgrade jobs.

        Raises ManageRefused when one of them was refused; the others are done."""
        return self._loop.run(self._asynchronous.manage(type, job_ids))

    def assign(
        self, job_id: str, step_id: str | None = None, *, user: str | None = None, group: str | None = None
    ) -> None:
        """Give a current step to a user or a group (its id); to nobody without either.

        ``step_id`` None means the job's only current step."""
        self._loop.run(self._asynchronous.assign(job_id, step_id, user=user, group=group))

    def query_jobs(
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
            has_location: only jobs with a place."""
        return self._loop.run(
            self._asynchronous.query_jobs(
                q,
                search=search,
                fields=fields,
                sort=sort,
                start=start,
                num=num,
                extent=extent,
                has_location=has_location,
            )
        )

    def job_statistics(
        self,
        q: str | None = None,
        *,
        search: str | None = None,
        group_by: str | None = None,
        extent: str | None = None,
        has_location: bool = False,
    ) -> JobStatistics:
        """Count the jobs that match, and those with each value of a field; arguments as ``query_jobs``."""
        return self._loop.run(
            self._asynchronous.job_statistics(
                q, search=search, group_by=group_by, extent=extent, has_location=has_location
            )
        )

    def evaluate_arcade(
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
            parse_mode: how values of job functions are written: as they are, for an address, for a search condition."""
        return self._loop.run(self._asynchronous.evaluate_arcade(expression, job_id=job_id, parse_mode=parse_mode))

    def run(self, job_id: str, *step_ids: str) -> ActionResult:
        """Start steps; without ``step_ids``, all current ones. This and the other actions raise ActionRefused."""
        return self._loop.run(self._asynchronous.run(job_id, *step_ids))

    def finish(self, job_id: str, *step_ids: str) -> ActionResult:
        """Finish steps and move on along the paths that fit."""
        return self._loop.run(self._asynchronous.finish(job_id, *step_ids))

    def stop(self, job_id: str, *step_ids: str) -> ActionResult:
        """Stop running steps: people's work is paused, processing is cancelled."""
        return self._loop.run(self._asynchronous.stop(job_id, *step_ids))

    def refresh(self, job_id: str, *step_ids: str) -> ActionResult:
        """Ask running steps to look at their service again (``RefreshStatus``)."""
        return self._loop.run(self._asynchronous.refresh(job_id, *step_ids))

    def set_current_step(self, job_id: str, step_id: str) -> ActionResult:
        """Make one step of the diagram the only current one."""
        return self._loop.run(self._asynchronous.set_current_step(job_id, step_id))

    def hold(
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
        return self._loop.run(
            self._asynchronous.hold(
                job_id, *step_ids, until=until, other_job_id=other_job_id, other_step_id=other_step_id, feature=feature
            )
        )

    def release_hold(
        self,
        job_id: str,
        *step_ids: str,
        other_job_id: str | None = None,
        other_step_id: str | None = None,
        webhook_connection_id: str | None = None,
    ) -> ActionResult:
        """Release manual and scheduled holds or, with ``other_job_id`` or ``webhook_connection_id``, those
        dependencies; without ``step_ids`` on all held steps."""
        return self._loop.run(
            self._asynchronous.release_hold(
                job_id,
                *step_ids,
                other_job_id=other_job_id,
                other_step_id=other_step_id,
                webhook_connection_id=webhook_connection_id,
            )
        )

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
            on_state: told about each change of the connection."""
        return Notifications(
            self._loop, self._asynchronous.notifications(*job_ids, since=since, sender_id=sender_id, on_state=on_state)
        )

    def job(self, job_id: str) -> JobHandle:
        """Follow one job: actions that return when the step has ended, asks, or failed, see ``JobHandle``."""
        return JobHandle(self._loop, self._asynchronous.job(job_id))

    def job_state(self, job_id: str) -> JobState:
        """Read how a job stands, its open questions included, as a new subscriber is told.

        Raises SubscriptionRefused when the job may not be watched."""
        return self._loop.run(self._asynchronous.job_state(job_id))

    def answer(
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
            VerdictMissing: it may count; ``request_id`` can be used to ask again."""
        return self._loop.run(
            self._asynchronous.answer(
                job_id, step_id, answer, prompt_id=prompt_id, request_id=request_id, timeout_s=timeout_s
            )
        )

    def answer_stages(
        self,
        job_id: str,
        step_id: str,
        answer: Answer,
        *,
        prompt_id: str | None = None,
        request_id: str | None = None,
        timeout_s: float = 30.0,
    ) -> Iterator[AnswerVerdict]:
        """Do as ``answer`` does, as an asynchronous iterator: ``stored`` (it counts), then ``applied``."""
        return self._loop.iterate(
            self._asynchronous.answer_stages(
                job_id, step_id, answer, prompt_id=prompt_id, request_id=request_id, timeout_s=timeout_s
            )
        )

    def answer_over_rest(
        self, job_id: str, step_id: str, answer: Answer, *, prompt_id: str | None = None, request_id: str | None = None
    ) -> AnswerVerdict:
        """Answer a step by one HTTP call, where websockets cannot pass.

        Raises AnswerRejected. The verdict is ``stored`` when applying takes longer than the server waits."""
        return self._loop.run(
            self._asynchronous.answer_over_rest(job_id, step_id, answer, prompt_id=prompt_id, request_id=request_id)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all sockets, end running iterations and the thread. Idempotent."""
        with suppress(RuntimeError):  # it is closed already
            self._loop.run(self._asynchronous.close())
        self._loop.close()
