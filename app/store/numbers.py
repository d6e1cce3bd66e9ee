"""What the v3 dialects ask: things by their numbers, lists of jobs by phase; projects, and programs."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, bindparam, case, delete, or_, select

from app.domain.job import AutomationType
from app.domain.phases import ENDED
from app.errors import Conflict, NotFound
from app.services.ports import ApiClient, Item, JobFilter, JobOrder, JobRecord, Project
from app.store.jobs import SELECT_JOBS, JobQueries, key_of_document
from app.store.schema import api_client, job, job_template, project, user
from app.store.sql import AnyOf, Row, Statement, insert_if_new

_BY_NUMBER = Statement(SELECT_JOBS.where(job.c.key == bindparam("number")))
_BY_DOCUMENT = Statement(SELECT_JOBS.where(job.c.document_key == bindparam("document_key")))

_USERNAME = Statement(select(user.c.username).where(user.c.key == bindparam("number")))
_USER_NUMBERS = Statement(select(user.c.username, user.c.key).order_by(user.c.key))
_templates = select(job_template.c.template_id, job_template.c.key).where(
    job_template.c.item_key == bindparam("item_key")
)
_TEMPLATE_NUMBERS = Statement(_templates.order_by(job_template.c.key))
_TEMPLATE_ID = Statement(_templates.where(job_template.c.key == bindparam("number")))

_projects = select(project.c.key, project.c.name).where(project.c.item_key == bindparam("item_key"))
_PROJECTS = Statement(_projects.order_by(project.c.key))
_PROJECT = Statement(_projects.where(project.c.key == bindparam("number")))
_ADD_PROJECT = insert_if_new(project, "item_key", "name", returning="key")

_clients = select(
    api_client.c.client_id, api_client.c.name, api_client.c.secret_hash, user.c.username, api_client.c.scopes,
    api_client.c.created_ms,
).select_from(api_client.outerjoin(user, api_client.c.user_key == user.c.key))  # fmt: skip
_CLIENTS = Statement(_clients.order_by(api_client.c.key))
_CLIENT = Statement(_clients.where(api_client.c.client_id == bindparam("client_id")))
_ADD_CLIENT = insert_if_new(api_client)
_DELETE_CLIENT = Statement(delete(api_client).where(api_client.c.client_id == bindparam("own_id")))

_SORTED: Final[Mapping[JobOrder, ColumnElement[Any]]] = {
    JobOrder.CREATED: job.c.created_ms,
    JobOrder.TEMPLATE: job.c.template_name,
    JobOrder.ENDED: case((or_(*(job.c.phase == phase.value for phase in sorted(ENDED))), job.c.phase_ms)),
    JobOrder.PHASE: job.c.phase,
}


class NumberQueries(JobQueries):
    """``Tx``: numbers, projects, programs."""

    def job_by_number(self, item: Item, number: int) -> JobRecord | None:
        row = self.sql.one(_BY_NUMBER, item_key=item.key, number=number)
        return self._record(row) if row else None

    def job_of_document(self, item: Item, registered_for: str, uuid: str) -> JobRecord | None:
        row = self.sql.one(_BY_DOCUMENT, item_key=item.key, document_key=key_of_document(registered_for, uuid))
        return self._record(row) if row else None

    def list_jobs(self, item: Item, wanted: JobFilter, priorities: Mapping[str, int]) -> list[JobRecord]:
        statement, lists = SELECT_JOBS, {}
        for number, (condition, values) in enumerate(_conditions(wanted)):
            if values is None:
                statement = statement.where(condition)
            else:
                lists[f"list_{number}"] = list(values)
                statement = statement.where(AnyOf(condition, f"list_{number}"))
        column = _by_priority(priorities) if wanted.order is JobOrder.PRIORITY else _SORTED[wanted.order]
        directed = (column.desc(), job.c.key.desc()) if wanted.descending else (column.asc(), job.c.key.asc())
        statement = statement.order_by(column.is_(None), *directed).limit(wanted.count).offset(wanted.start)
        return [
            self._record(row) for row in self.sql.all(Statement(statement, one_off=True), item_key=item.key, **lists)
        ]

    def username_of(self, number: int) -> str | None:
        return _first(self.sql.one(_USERNAME, number=number))

    def user_numbers(self) -> Mapping[str, int]:
        return dict(self.sql.all(_USER_NUMBERS))

    def template_id_of(self, item: Item, number: int) -> str | None:
        return _first(self.sql.one(_TEMPLATE_ID, item_key=item.key, number=number))

    def template_numbers(self, item: Item) -> Mapping[str, int]:
        return dict(self.sql.all(_TEMPLATE_NUMBERS, item_key=item.key))

    def project(self, item: Item, number: int) -> Project | None:
        row = self.sql.one(_PROJECT, item_key=item.key, number=number)
        return Project(*row) if row else None

    def projects(self, item: Item) -> list[Project]:
        return [Project(*row) for row in self.sql.all(_PROJECTS, item_key=item.key)]

    def add_project(self, item: Item, name: str) -> Project:
        row = self.sql.one(_ADD_PROJECT, item_key=item.key, name=name)
        if row is None:
            raise Conflict(f"There is a project {name!r} already.", name="ProjectExists")
        return Project(row[0], name)

    def api_client(self, client_id: str) -> ApiClient | None:
        row = self.sql.one(_CLIENT, client_id=client_id)
        return _client(row) if row else None

    def api_clients(self) -> list[ApiClient]:
        return [_client(row) for row in self.sql.all(_CLIENTS)]

    def add_api_client(self, client: ApiClient) -> None:
        user_key = None if client.username is None else self.user_numbers().get(client.username)
        if client.username is not None and user_key is None:
            raise NotFound(f"There is no user {client.username!r}.", name="UserNotFound")
        added = self.sql.change(
            _ADD_CLIENT,
            client_id=client.client_id,
            name=client.name,
            secret_hash=client.secret_hash,
            user_key=user_key,
            scopes=msgspec.json.encode(client.scopes).decode(),
            created_ms=client.created_ms,
        )
        if not added:
            raise Conflict(f"There is a program {client.name!r} already.", name="ClientExists")

    def delete_api_client(self, client_id: str) -> bool:
        return self.sql.change(_DELETE_CLIENT, own_id=client_id) == 1


def _conditions(wanted: JobFilter) -> list[tuple[Any, Any]]:
    """Conditions that stand for themselves (None), and columns with the values that match."""
    found: list[tuple[Any, Any]] = []
    if wanted.sight is not None:
        by_schedule = job.c.automation_type == AutomationType.SCHEDULED.value
        shared = [job.c.template_id == template_id for template_id in wanted.sight.template_ids]
        seen = job.c.owned_by == wanted.sight.owner
        found.append((seen | (by_schedule & or_(*shared)) if shared else seen, None))
    found += [
        (column == value, None)
        for column, value in ((job.c.owned_by, wanted.owner), (job.c.template_id, wanted.template_id))
        if value is not None
    ]
    found += [
        (column, values)
        for column, values in (
            (job.c.phase, wanted.phases),
            (job.c.priority, wanted.priority_names),
            (job.c.template_name, wanted.template_names),
        )
        if values is not None
    ]
    if wanted.ended_after_ms is not None or wanted.ended_before_ms is not None:
        found.append((job.c.phase, ENDED))
    if wanted.ended_after_ms is not None:
        found.append((job.c.phase_ms >= wanted.ended_after_ms, None))
    if wanted.ended_before_ms is not None:
        found.append((job.c.phase_ms < wanted.ended_before_ms, None))
    return found


def _by_priority(priorities: Mapping[str, int]) -> ColumnElement[Any]:
    return case(dict(priorities), value=job.c.priority) if priorities else job.c.priority


def _first(row: Row | None) -> str | None:
    return str(row[0]) if row else None


def _client(row: Row) -> ApiClient:
    client_id, name, secret_hash, username, scopes, created_ms = row
    names = msgspec.json.decode(scopes, type=tuple[str, ...])
    return ApiClient(client_id, name, bytes(secret_hash), username, names, created_ms)
