"""Diagrams: create, change (every change is a new version), read, delete.

Versions count from 1 and never change once stored; a diagram has at most one draft, version -1 (rest.md 6).
"""

from app.domain.diagram import DRAFT_VERSION, Diagram, check_activation
from app.domain.soundness import Finding, check_soundness
from app.errors import Conflict, InvalidValue, NotFound, RuleViolation
from app.protocol.diagrams import DiagramDocument, build_diagram, check_expressions
from app.protocol.step_args import check_args
from app.protocol.upgrading import UpgradedDiagram, upgrade
from app.services.designing import own_or_new_id, require_designer
from app.services.engine import Unit
from app.services.ports import DiagramRecord

_MAX_NAME_CHARS = 255
_VERSIONS = range(DRAFT_VERSION, 2**31)


def create(unit: Unit, document: DiagramDocument) -> str:
    """Store a new diagram, as version 1 when it is ``active`` and as a draft otherwise; return its id.

    Raises:
        PermissionDenied: without adminBasic. InvalidValue: not a diagram, or one that must not become active.
        Conflict: InvalidDiagramIdDuplicate, InvalidDiagramNameDuplicate.
    """
    require_designer(unit)
    diagram_id = own_or_new_id(unit, document.head.diagram_id, "diagramId")
    # Names and version numbers are looked up and then taken: nobody else may do so at the same time.
    unit.tx.lock_item(unit.item)
    if unit.tx.diagram(unit.item, diagram_id) is not None:
        raise Conflict(f"There is a diagram {diagram_id!r} already.", name="InvalidDiagramIdDuplicate")
    check_name(unit, diagram_id, document.head.diagram_name, "InvalidDiagramNameDuplicate")
    _put(unit, document, diagram_id, 1 if document.head.active else DRAFT_VERSION)
    return diagram_id


def update(unit: Unit, diagram_id: str, document: DiagramDocument, *, delete_draft: bool = True) -> None:
    """Store the next version when ``active`` (and drop the draft, unless told not to), else the draft.

    Jobs stay on their version. Raises:
        NotFound: no such diagram. Conflict: InvalidDiagramNameDuplicateUpdate. Otherwise as ``create``.
    """
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    newest = read(unit, diagram_id).diagram.version
    check_name(unit, diagram_id, document.head.diagram_name, "InvalidDiagramNameDuplicateUpdate")
    if not document.head.active:
        _put(unit, document, diagram_id, DRAFT_VERSION)
        return
    _put(unit, document, diagram_id, max(newest, 0) + 1)
    if delete_draft:
        unit.tx.delete_diagram_version(unit.item, diagram_id, DRAFT_VERSION)


def check(unit: Unit, document: DiagramDocument) -> tuple[Finding, ...]:
    """What would be wrong with a diagram once it is active; none of it keeps it from being stored.

    A query of its own: for a thousand steps it takes a while, and would keep the only writer from others' work.
    Nothing is found for a draft. Raises PermissionDenied, InvalidValue as ``create``.
    """
    require_designer(unit)
    return examine(unit, document) if document.head.active else ()


def examine(unit: Unit, document: DiagramDocument) -> tuple[Finding, ...]:
    """As ``check``, whether or not it is to become active. Nothing is stored."""
    require_designer(unit)
    diagram = build_diagram(document.head, diagram_id="", version=1)
    check_expressions(diagram)
    check_active(diagram)
    return check_soundness(diagram)


def read(unit: Unit, diagram_id: str, version: int | None = None) -> DiagramRecord:
    """A version; without one, the newest activated, or the draft of a diagram that was never activated.

    The draft (-1) of a diagram that has none is its newest activated version. Raises NotFound.
    """
    if version is not None and version not in _VERSIONS:
        raise _no_version(diagram_id, str(version))
    record = unit.tx.diagram(unit.item, diagram_id, version)
    if record is None and version in {DRAFT_VERSION, None}:
        record = unit.tx.diagram(unit.item, diagram_id)
    if record is None and version is None:
        raise NotFound(f"There is no diagram {diagram_id!r}.", name="DiagramNotFound")
    if record is None:
        raise _no_version(diagram_id, str(version))
    return record


def upgraded(unit: Unit, diagram_id: str, version: int) -> UpgradedDiagram:
    """A version rewritten to centralized data references; nothing is saved. Raises PermissionDenied, NotFound."""
    require_designer(unit)
    record = read(unit, diagram_id, version)
    return upgrade(record.body, record.diagram)


def delete(unit: Unit, diagram_id: str) -> None:
    """Delete a diagram with all its versions. Its id and its name are free again.

    Raises:
        PermissionDenied: without adminBasic. NotFound: no such diagram.
        RuleViolation: DiagramInUse, jobs follow one of its versions or job templates name it.
    """
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    name = read(unit, diagram_id).diagram.name
    unit.tx.claim_diagram(unit.item, diagram_id)
    if jobs := unit.tx.jobs_on_diagram(unit.item, diagram_id):
        raise _in_use(f"The diagram {name!r} is followed by {jobs} jobs; delete them first.")
    if templates := _templates_of(unit, diagram_id):
        raise _in_use(f"The diagram {name!r} is used by the job templates {templates}; change or delete them first.")
    unit.tx.delete_diagram(unit.item, diagram_id)


def delete_version(unit: Unit, diagram_id: str, version: int) -> None:
    """Delete one version, or the draft (-1). With the last one the diagram is gone.

    Raises:
        PermissionDenied: without adminBasic. NotFound: no such version; the draft of a diagram that has none.
        RuleViolation: DiagramInUse, jobs follow it, or it is what job templates would give to new jobs.
    """
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    found = unit.tx.diagram(unit.item, diagram_id, version) if version in _VERSIONS else None
    if found is None:
        raise _no_version(diagram_id, str(version))
    unit.tx.claim_diagram(unit.item, diagram_id, version)
    label = f"The version {version} of the diagram {found.diagram.name!r}"
    if jobs := unit.tx.jobs_on_diagram(unit.item, diagram_id, version):
        raise _in_use(f"{label} is followed by {jobs} jobs; delete or upgrade them first.")
    is_newest = read(unit, diagram_id).diagram.version == version
    if is_newest and (templates := _templates_of(unit, diagram_id)):
        raise _in_use(f"{label} is the one that the job templates {templates} use; activate another version first.")
    unit.tx.delete_diagram_version(unit.item, diagram_id, version)


def _templates_of(unit: Unit, diagram_id: str) -> str:
    """The names of the templates that use a diagram, as text; empty when there is none."""
    return ", ".join(repr(each.name) for each in unit.tx.templates(unit.item) if each.diagram_id == diagram_id)


def _in_use(text: str) -> RuleViolation:
    return RuleViolation(text, name="DiagramInUse")


def _no_version(diagram_id: str, version: str) -> NotFound:
    return NotFound(f"There is no version {version} of a diagram {diagram_id!r}.", name="DiagramNotFound")


def check_name(unit: Unit, diagram_id: str, name: str, duplicate: str) -> None:
    """Raises InvalidValue for what cannot be a diagram's name; Conflict, called ``duplicate``: it is another one's."""
    if not name.strip() or len(name) > _MAX_NAME_CHARS:
        raise InvalidValue(
            f"WorkflowDiagram was invalid: diagramName must have 1 to {_MAX_NAME_CHARS} characters.",
            name="InvalidDiagramName",
        )
    if unit.tx.diagram_by_name(unit.item, name) not in {None, diagram_id}:
        raise Conflict(f"There is another diagram named {name!r}.", name=duplicate)


def _put(unit: Unit, document: DiagramDocument, diagram_id: str, version: int) -> None:
    diagram = build_diagram(document.head, diagram_id=diagram_id, version=version)
    check_expressions(diagram)
    if version != DRAFT_VERSION:
        check_active(diagram)
    record = DiagramRecord(diagram, document.body, document.head.description, unit.now_ms, unit.actor.username)
    unit.tx.put_diagram(unit.item, record)


def check_active(diagram: Diagram) -> None:
    """Raises InvalidValue for a diagram that must not become active."""
    check_activation(diagram)
    check_args(diagram)
