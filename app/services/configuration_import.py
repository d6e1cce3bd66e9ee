"""A configuration comes into an item: what is set up there is replaced, or added to, all of it or nothing.

What can be checked without the item is checked before (``configuration_reading``): the transaction keeps others
waiting.
"""

from dataclasses import replace

import msgspec

from app.domain.diagram import DRAFT_VERSION, Diagram
from app.errors import InvalidValue, RuleViolation
from app.protocol.configuration import DiagramRow, ShareRow
from app.protocol.diagrams import DiagramDocument
from app.protocol.ids import check_own_id
from app.protocol.item_setup import SettingsBody
from app.protocol.saved_searches import SavedSearchDocument
from app.protocol.tables import TABLES
from app.protocol.templates import TemplateDocument
from app.services import (
    automations,
    diagrams,
    item_log,
    item_settings,
    roles,
    saved_searches,
    stored_templates,
    tables,
    templates,
)
from app.services.configuration_export import SEARCH, TEMPLATE, diagram_row
from app.services.configuration_places import at
from app.services.configuration_reading import Prepared, with_secret
from app.services.engine import Unit
from app.services.lookups import SYSTEM_TYPES
from app.services.new_item import admin_group
from app.services.people import require_administrator, roles_changed
from app.services.ports import DiagramRecord, Group, LogLevel, StoredTemplate

_MAX_NOTES = 100


def apply(unit: Unit, prepared: Prepared, *, overwrite: bool) -> None:
    """Set the item up as the configuration says; what could not be is told in the item's log.

    Parts that the file does not have stay as they are.

    Args:
        overwrite: what the item has of each part is dropped first; it must have no jobs. Otherwise the two are merged,
            and what both have becomes as the file has it: a diagram gets a new version where it differs.

    Raises:
        PermissionDenied: without adminAdvanced. RuleViolation: the item has jobs; nobody would administer it any more.
        InvalidValue, Conflict: what comes does not go together with what is there.
    """
    require_administrator(unit)
    unit.tx.lock_item(unit.item)
    if overwrite and unit.tx.has_jobs(unit.item):
        raise RuleViolation(
            "The item has jobs, so its configuration cannot be replaced. Delete them first, or import with "
            "overwriteConfiguration False, which merges.",
            name="ItemHasJobs",
        )
    _Import(unit, prepared, overwrite=overwrite).carry_out()


class _Import:
    """One configuration on its way into one item."""

    def __init__(self, unit: Unit, prepared: Prepared, *, overwrite: bool) -> None:
        self._unit = unit
        self._prepared = prepared
        self._overwrite = overwrite
        self._notes = list(prepared.notes)
        self._own = admin_group(unit.tx, unit.item)
        self._secrets = {
            each.automation_id: automations.secret_of(unit, each) for each in unit.tx.automations(unit.item)
        }

    def carry_out(self) -> None:
        """What others need comes first: groups have roles, templates have diagrams, searches have templates' tables."""
        for member, write in (
            ("lookups", self._lookups),
            ("roles", self._roles),
            ("role_groups", self._role_groups),
            ("settings", self._settings),
            ("templates", self._stored_templates),
        ):
            if getattr(self._prepared.rows, member) is not None:
                write()
        self._designs()
        if self._prepared.rows.shares is not None:
            self._shares()
        self._check()
        roles_changed(self._unit)
        for note in self._notes[:_MAX_NOTES]:
            item_log.write(self._unit, LogLevel.WARN, f"Import: {note}")

    def _designs(self) -> None:
        if self._overwrite:
            self._drop_designs()
        for number, (row, diagram_document, diagram) in enumerate(self._prepared.diagrams):
            with at("diagrams", number, row.diagram_name):
                self._diagram(row, diagram_document, diagram)
        for number, (template_id, template) in enumerate(self._prepared.templates):
            with at("job_templates", number, template.head.job_template_name):
                self._template(template_id, template)
        for number, (search_id, search) in enumerate(self._prepared.searches):
            with at("searches", number, search.head.name):
                self._search(search_id, search)
        self._automations()

    def _check(self) -> None:
        unit = self._unit
        there = {each.diagram_id for each in unit.tx.diagrams(unit.item)}
        for each in unit.tx.templates(unit.item):
            if each.diagram_id not in there:
                raise InvalidValue(f"The job template {each.name!r} would have no diagram ({each.diagram_id!r}).")
        roles.require_administered(unit)

    def _lookups(self) -> None:
        unit = self._unit
        given: dict[str, dict[str, int]] = {}
        for row in self._prepared.rows.lookups or ():
            given.setdefault(row.lookup_type, {})[row.lookup_name] = row.value
        known = unit.tx.lookup_types(unit.item)
        for kind in known if self._overwrite else ():
            if kind not in given and kind not in SYSTEM_TYPES:
                unit.tx.put_lookups(unit.item, kind, [])
        for kind, values in given.items():
            before = {} if self._overwrite else dict(unit.tx.lookups(unit.item, kind))
            unit.tx.put_lookups(unit.item, kind, list((before | values).items()))

    def _roles(self) -> None:
        unit, given = self._unit, {role.name for role in self._prepared.roles}
        for role in self._prepared.roles:
            unit.tx.put_role(unit.item, role)
        for role in unit.tx.roles(unit.item) if self._overwrite else ():
            if role.name not in given:
                unit.tx.delete_role(unit.item, role.name)

    def _role_groups(self) -> None:
        """The item's own admin group keeps what it has: it is not the one of the item that was exported."""
        unit = self._unit
        if self._overwrite:
            for group_id, names in dict(unit.tx.roles_of_groups(unit.item)).items():
                for name in names if not self._is_own(group_id) else ():
                    unit.tx.link_role(unit.item, group_id, name, False)
        known = {role.name for role in unit.tx.roles(unit.item)}
        for number, row in enumerate(self._prepared.rows.role_groups or ()):
            group = self._group(row.group_id, row.group_name)
            if row.role_name not in known:
                raise InvalidValue(f"roleGroups.json, entry {number + 1}: there is no role {row.role_name!r}.")
            if group is None:
                self._missed(row.group_id, row.group_name, f"has not got the role {row.role_name!r}")
            elif not self._is_own(group.group_id):
                unit.tx.link_role(unit.item, group.group_id, row.role_name, True)

    def _settings(self) -> None:
        unit = self._unit
        named = {row.prop_name for row in self._prepared.rows.settings or ()}
        for each in unit.tx.settings(unit.item) if self._overwrite else ():
            if each.name not in named:
                unit.tx.delete_setting(unit.item, each.name)
        item_settings.update(unit, SettingsBody(self._prepared.settings))

    def _stored_templates(self) -> None:
        unit = self._unit
        for kind in unit.tx.stored_template_types(unit.item) if self._overwrite else ():
            for each in unit.tx.stored_templates(unit.item, kind):
                unit.tx.delete_stored_template(unit.item, kind, each.template_id)
        for number, row in enumerate(self._prepared.rows.templates or ()):
            with at("templates", number, row.template_name):
                check_own_id(row.template_id, "template_id")
                stored_templates.check(row.template_type, row.template_details)
                stored = StoredTemplate(row.template_type, row.template_id, row.template_name, row.template_details)
                unit.tx.put_stored_template(unit.item, stored)

    def _drop_designs(self) -> None:
        unit, rows = self._unit, self._prepared.rows
        for template in unit.tx.templates(unit.item) if rows.job_templates is not None else ():
            unit.tx.delete_template(unit.item, template.template_id)
        for diagram in unit.tx.diagrams(unit.item) if rows.diagrams is not None else ():
            unit.tx.delete_diagram(unit.item, diagram.diagram_id)
        for search in unit.tx.searches(unit.item) if rows.searches is not None else ():
            unit.tx.delete_search(unit.item, search.search_id)

    def _diagram(self, row: DiagramRow, document: DiagramDocument, diagram: Diagram) -> None:
        unit = self._unit
        diagrams.check_name(unit, row.diagram_id, row.diagram_name, "InvalidDiagramNameDuplicate")
        newest = unit.tx.diagram(unit.item, row.diagram_id)
        version = row.diagram_version
        if newest is not None and DRAFT_VERSION not in {newest.diagram.version, version}:
            version = newest.diagram.version + 1
            present = msgspec.structs.replace(diagram_row(newest), diagram_version=row.diagram_version)
            if present == self._as_stored(row, document, diagram):
                return
        record = DiagramRecord(
            replace(diagram, version=version), document.body, row.description, unit.now_ms, unit.actor.username
        )
        unit.tx.put_diagram(unit.item, record)

    def _as_stored(self, row: DiagramRow, document: DiagramDocument, diagram: Diagram) -> DiagramRow:
        """What an export would say of it."""
        return diagram_row(DiagramRecord(diagram, document.body, row.description, 0, ""))

    def _template(self, template_id: str, document: TemplateDocument) -> None:
        unit = self._unit
        before = unit.tx.template(unit.item, template_id)
        elsewhere = tables.take_over(unit, document.members.get(TABLES, []))
        templates.put(unit, template_id, document, before.shared_with if before else ())
        tables.change_elsewhere(unit, template_id, elsewhere)

    def _search(self, search_id: str, document: SavedSearchDocument) -> None:
        unit = self._unit
        before = unit.tx.search(unit.item, search_id)
        record = saved_searches.record(unit, search_id, document)
        unit.tx.put_search(unit.item, replace(record, shared_with=before.shared_with if before else ()))

    def _automations(self) -> None:
        """A webhook whose secret did not come along keeps the one that is there, or is left out."""
        unit = self._unit
        for number, (row, add, lacks_secret) in enumerate(self._prepared.automations):
            with at("automations", number, row.automation_name):
                templates.read(unit, row.job_template_id)
                secret = self._secrets.get(row.automation_id) if lacks_secret else None
                if lacks_secret and secret is None:
                    name = row.automation_name
                    self._notes.append(f"The webhook {name!r} was left out: its secret takes the passphrase.")
                    continue
                wanted = msgspec.structs.replace(add, details=with_secret(add.details, secret)) if secret else add
                made = automations.new_automation(unit, row.job_template_id, wanted, row.automation_id)
                unit.tx.put_automation(unit.item, made)
                unit.effects.timers_changed = True

    def _shares(self) -> None:
        """Whom what has come is shared with: those named, and nobody's share is left where none is."""
        unit = self._unit
        named: dict[tuple[str, str], list[ShareRow]] = {}
        named |= {(TEMPLATE, template_id): [] for template_id, _ in self._prepared.templates}
        named |= {(SEARCH, search_id): [] for search_id, _ in self._prepared.searches}
        for number, row in enumerate(self._prepared.rows.shares or ()):
            with at("shares", number, row.resource_id):
                if (row.resource_type, row.resource_id) not in named:
                    raise InvalidValue(f"there is no {row.resource_type} {row.resource_id!r} in the file")
            named[row.resource_type, row.resource_id].append(row)
        for (kind, resource_id), shares in named.items():
            groups = self._shared_with(resource_id, shares)
            if kind == TEMPLATE:
                template = templates.read(unit, resource_id)
                unit.tx.put_template(unit.item, replace(template, shared_with=groups))
            else:
                search = saved_searches.existing(unit, resource_id)
                unit.tx.put_search(unit.item, replace(search, shared_with=groups))

    def _shared_with(self, resource_id: str, shares: list[ShareRow]) -> tuple[str, ...]:
        """The groups that are there. With none of them it is not for everybody, but for the item's administrators."""
        found: dict[str, None] = {}
        for row in shares:
            group = self._group(row.group_id, row.group_name)
            if group is None:
                self._missed(row.group_id, row.group_name, f"does not share {resource_id!r}")
            else:
                found[group.group_id] = None
        if shares and not found:
            if self._own is None:
                raise InvalidValue(f"None of the groups that share {resource_id!r} is there: give a mappingFile.")
            return (self._own.group_id,)
        return tuple(found)

    def _group(self, group_id: str, name: str | None) -> Group | None:
        return self._unit.tx.group(group_id) or (self._unit.tx.group_by_name(name) if name else None)

    def _is_own(self, group_id: str) -> bool:
        return self._own is not None and self._own.group_id == group_id

    def _missed(self, group_id: str, name: str | None, what: str) -> None:
        called = f"{name!r} ({group_id})" if name else group_id
        self._notes.append(f"The group {called} is not known here, and {what}.")
