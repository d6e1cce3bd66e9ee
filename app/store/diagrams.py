"""Diagrams with their versions, and job templates."""

from typing import Final

from sqlalchemy import bindparam, case, delete, func, select

from app.domain.diagram import DRAFT_VERSION
from app.services.ports import DiagramRecord, DiagramSummary, Item, JobTemplate
from app.store.base import Queries, Surroundings
from app.store.schema import diagram, diagram_version, job_template
from app.store.sql import Row, Session, Statement, insert_into, put_into

_OF_DIAGRAM = (diagram.c.item_key == bindparam("item_key"), diagram.c.diagram_id == bindparam("diagram_id"))
_VERSIONS = (
    select(
        diagram_version.c.key,
        diagram_version.c.version,
        diagram_version.c.description,
        diagram_version.c.created_ms,
        diagram_version.c.created_by,
    )
    .select_from(diagram_version.join(diagram, diagram_version.c.diagram_key == diagram.c.key))
    .where(*_OF_DIAGRAM)
)
_VERSION = Statement(_VERSIONS.where(diagram_version.c.version == bindparam("version")), settled=True)
_NEWEST = Statement(_VERSIONS.order_by(diagram_version.c.version.desc()).limit(bindparam("count")))
_BODY = Statement(select(diagram_version.c.body).where(diagram_version.c.key == bindparam("key")))
_activated = case((diagram_version.c.version != bindparam("draft"), diagram_version.c.version))
_SUMMARIES = Statement(
    select(
        diagram.c.diagram_id,
        diagram.c.name,
        diagram.c.description,
        func.max(_activated),
        func.min(diagram_version.c.version),
    )
    .select_from(diagram.join(diagram_version, diagram_version.c.diagram_key == diagram.c.key))
    .where(diagram.c.item_key == bindparam("item_key"))
    .group_by(diagram.c.key, diagram.c.diagram_id, diagram.c.name, diagram.c.description)
    .order_by(diagram.c.key)
)
_ID_BY_NAME = Statement(
    select(diagram.c.diagram_id).where(
        diagram.c.item_key == bindparam("item_key"), diagram.c.name == bindparam("diagram_name")
    )
)
_versions = (
    select(diagram_version.c.key)
    .select_from(diagram_version.join(diagram, diagram_version.c.diagram_key == diagram.c.key))
    .where(*_OF_DIAGRAM)
    .order_by(diagram_version.c.key)
)
_one_version = _versions.where(diagram_version.c.version == bindparam("version"))
USE_VERSION = Statement(_one_version.with_for_update(read=True, key_share=True, of=diagram_version))
CLAIM_VERSION = Statement(_one_version.with_for_update(of=diagram_version))
CLAIM_VERSIONS = Statement(_versions.with_for_update(of=diagram_version))
_PUT = put_into(diagram, ["item_key", "diagram_id"], returning="key")
_PUT_DRAFT = put_into(diagram_version, ["diagram_key", "version"])
_ADD_VERSION = insert_into(diagram_version)
_DELETE_VERSION = Statement(
    delete(diagram_version).where(
        diagram_version.c.version == bindparam("own_version"),
        diagram_version.c.diagram_key.in_(select(diagram.c.key).where(*_OF_DIAGRAM)),
    )
)
_DELETE_VERSIONS = Statement(
    delete(diagram_version).where(diagram_version.c.diagram_key.in_(select(diagram.c.key).where(*_OF_DIAGRAM)))
)
_DELETE_EMPTY = Statement(
    delete(diagram).where(*_OF_DIAGRAM, diagram.c.key.not_in(select(diagram_version.c.diagram_key)))
)

_TEMPLATE: Final = (
    "template_id name state diagram_id category description body updated_by updated_ms shared_with".split()
)
"""Members of ``JobTemplate``, in the order of its constructor."""

_TEMPLATES = select(*(job_template.c[name] for name in _TEMPLATE)).where(
    job_template.c.item_key == bindparam("item_key")
)
_ALL_TEMPLATES = Statement(_TEMPLATES.order_by(job_template.c.key))
_ONE_TEMPLATE = Statement(_TEMPLATES.where(job_template.c.template_id == bindparam("template_id")))
_own_template = select(job_template.c.key).where(
    job_template.c.item_key == bindparam("item_key"), job_template.c.template_id == bindparam("template_id")
)
USE_TEMPLATE = Statement(_own_template.with_for_update(read=True, key_share=True))
CLAIM_TEMPLATE = Statement(_own_template.with_for_update())
_TEMPLATE_BY_NAME = Statement(
    select(job_template.c.template_id).where(
        job_template.c.item_key == bindparam("item_key"), job_template.c.name == bindparam("template_name")
    )
)
_PUT_TEMPLATE = put_into(job_template, ["item_key", "template_id"])
_DELETE_TEMPLATE = Statement(
    delete(job_template).where(
        job_template.c.item_key == bindparam("own_item"), job_template.c.template_id == bindparam("own_template")
    )
)


class DiagramQueries(Queries):
    """``Tx``: diagrams and templates."""

    def __init__(self, sql: Session, around: Surroundings, command_id: str) -> None:
        super().__init__(sql, around, command_id)
        self.parsed: dict[int, DiagramRecord] = {}
        """Activated versions this transaction has parsed; the store caches them once it has committed."""

    def diagram(self, item: Item, diagram_id: str, version: int | None = None) -> DiagramRecord | None:
        if version is None:
            row = self.sql.one(_NEWEST, item_key=item.key, diagram_id=diagram_id, count=1)
        else:
            row = self.sql.one(_VERSION, item_key=item.key, diagram_id=diagram_id, version=version)
        return self._version(diagram_id, row) if row else None

    def _version(self, diagram_id: str, row: Row) -> DiagramRecord:
        """The record of a row, parsed unless it was before. A draft may change under its key and is always parsed."""
        key, version, description, created_ms, created_by = row
        known = self.parsed.get(key) or self._around.diagrams.get(key)
        if known is not None:
            return known
        (body,) = self.sql.one(_BODY, key=key) or (b"",)
        parsed = self._around.parse_diagram(body, diagram_id=diagram_id, version=version)
        record = DiagramRecord(parsed, body, description, created_ms, created_by)
        if version != DRAFT_VERSION:
            self.parsed[key] = record
        return record

    def use_diagram(self, item: Item, diagram_id: str, version: int | None = None) -> DiagramRecord | None:
        self.sql.check_writable()
        return self.diagram(item, diagram_id, version)

    def claim_diagram(self, item: Item, diagram_id: str, version: int | None = None) -> None:  # noqa: ARG002
        """SQLite has one writer: nobody else uses anything."""
        self.sql.check_writable()

    def diagrams(self, item: Item) -> list[DiagramSummary]:
        rows = self.sql.all(_SUMMARIES, item_key=item.key, draft=DRAFT_VERSION)
        return [
            DiagramSummary(diagram_id, name, description, latest is not None, first == DRAFT_VERSION, latest)
            for diagram_id, name, description, latest, first in rows
        ]

    def diagram_by_name(self, item: Item, name: str) -> str | None:
        row = self.sql.one(_ID_BY_NAME, item_key=item.key, diagram_name=name)
        return row[0] if row else None

    def put_diagram(self, item: Item, record: DiagramRecord) -> None:
        """Raises Conflict when another diagram of the item has the name, or the activated version is there already."""
        key = self._key_of(
            _PUT,
            item_key=item.key,
            diagram_id=record.diagram.diagram_id,
            name=record.diagram.name,
            description=record.description,
        )
        self.sql.change(
            _PUT_DRAFT if record.diagram.version == DRAFT_VERSION else _ADD_VERSION,
            diagram_key=key,
            version=record.diagram.version,
            body=record.body,
            description=record.description,
            created_ms=record.created_ms,
            created_by=record.created_by,
        )

    def delete_diagram_version(self, item: Item, diagram_id: str, version: int) -> None:
        """With its last version the diagram itself is gone, and its name free."""
        self.sql.change(_DELETE_VERSION, item_key=item.key, diagram_id=diagram_id, own_version=version)
        self.sql.change(_DELETE_EMPTY, item_key=item.key, diagram_id=diagram_id)

    def delete_diagram(self, item: Item, diagram_id: str) -> None:
        self.sql.change(_DELETE_VERSIONS, item_key=item.key, diagram_id=diagram_id)
        self.sql.change(_DELETE_EMPTY, item_key=item.key, diagram_id=diagram_id)

    def template(self, item: Item, template_id: str) -> JobTemplate | None:
        row = self.sql.one(_ONE_TEMPLATE, item_key=item.key, template_id=template_id)
        return _template(row) if row else None

    def use_template(self, item: Item, template_id: str) -> JobTemplate | None:
        self.sql.check_writable()
        return self.template(item, template_id)

    def claim_template(self, item: Item, template_id: str) -> None:  # noqa: ARG002
        self.sql.check_writable()

    def templates(self, item: Item) -> list[JobTemplate]:
        return [_template(row) for row in self.sql.all(_ALL_TEMPLATES, item_key=item.key)]

    def template_by_name(self, item: Item, name: str) -> str | None:
        row = self.sql.one(_TEMPLATE_BY_NAME, item_key=item.key, template_name=name)
        return row[0] if row else None

    def put_template(self, item: Item, template: JobTemplate) -> None:
        """Raises Conflict when another template of the item has the name."""
        values = {name: getattr(template, name) for name in _TEMPLATE}
        values["shared_with"] = " ".join(template.shared_with)
        self.sql.change(_PUT_TEMPLATE, item_key=item.key, **values)

    def delete_template(self, item: Item, template_id: str) -> None:
        self.sql.change(_DELETE_TEMPLATE, own_item=item.key, own_template=template_id)


def _template(row: Row) -> JobTemplate:
    """Group ids hold no blanks, so one text holds them all."""
    members: Row = (*row[:-1], tuple(row[-1].split()))
    return JobTemplate(*members)
