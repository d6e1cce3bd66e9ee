"""What is set up in an item: diagrams, settings, lookups, stored templates (rest.md 6 and 8)."""

from collections.abc import Mapping
from typing import Any

from stepgate_client.models import Diagram, Model, Success
from stepgate_client.rest import Rest, part


class Setting(Model, frozen=True):
    """A setting. An encrypted one has no value that could be read."""

    prop_name: str
    value: str | None = None
    encrypted: bool = False


class StoredTemplate(Model, frozen=True):
    """A stored template; ``template_details`` is text, and None in a list."""

    template_id: str
    template_name: str
    template_details: str | None = None


class DiagramLine(Model, frozen=True):
    """A diagram in a list: whether it has an activated version, and whether it has a draft."""

    diagram_id: str
    diagram_name: str
    active: bool
    draft: bool
    description: str | None = None


class Move(Model, frozen=True):
    """A step ended and returned this; None when it had no paths, or a question was skipped."""

    step_id: str
    return_value: str | int | float | bool | None = None


class DiagramWarning(Model, frozen=True):
    """What keeps jobs from getting through an activated version, though it was stored (docs/soundness.md).

    ``run`` leads a new job there; ``current_steps`` and ``pending_steps`` are its steps then.
    """

    kind: str
    message: str
    step_ids: list[str]
    run: list[Move]
    current_steps: list[str]
    pending_steps: list[str]
    return_values: tuple[str | int | float | bool | None, ...] = ()
    missing_step_ids: tuple[str, ...] = ()
    join_step_id: str | None = None


class CreatedDiagram(Model, frozen=True):
    """A new diagram's id, and what is wrong with it once it is active."""

    diagram_id: str
    warnings: tuple[DiagramWarning, ...] = ()


class UpgradedDiagram(Model, frozen=True):
    """A diagram rewritten to centralized data references; what was changed in it, and what could not be."""

    transformed_diagram: dict[str, Any]
    modified_step_ids: list[str]
    failed_step_ids: list[str]
    modified_data_source_names: list[str]
    failed_data_source_names: list[str]


class ItemSetup:
    """Reads and changes what administrators set up; ``Client.item`` is one. Calls raise as those of ``Client``."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def diagrams(self) -> list[DiagramLine]:
        """List the diagrams, in the order they were created."""
        return (await self._rest.get("diagrams", _Diagrams)).diagrams

    async def diagram(self, diagram_id: str, version: int | None = None) -> Diagram:
        """Read a version: by default the newest activated one, -1 for the draft."""
        return await self._rest.get(_diagram(diagram_id, version), Diagram)

    async def create_diagram(self, diagram: Mapping[str, Any]) -> CreatedDiagram:
        """Store a new diagram, a document as in rest.md 6: as version 1 when it is ``active``, else as a draft."""
        return await self._rest.post("diagrams", diagram, CreatedDiagram)

    async def update_diagram(
        self, diagram_id: str, diagram: Mapping[str, Any], *, delete_draft: bool = True
    ) -> tuple[DiagramWarning, ...]:
        """Store the next version when ``active``, else the draft; returns what is wrong with an active one."""
        body = {"deleteDraft": delete_draft, "diagram": diagram}
        return (await self._rest.post(f"diagrams/{part(diagram_id)}", body, _DiagramUpdated)).warnings

    async def delete_diagram(self, diagram_id: str) -> None:
        """Delete a diagram with all its versions; refused while jobs follow it or job templates use it."""
        await self._rest.delete(_diagram(diagram_id), Success)

    async def delete_diagram_version(self, diagram_id: str, version: int) -> None:
        """Delete a version, or the draft (-1); refused while jobs follow it or new ones would."""
        await self._rest.delete(_diagram(diagram_id, version), Success)

    async def upgraded_diagram(self, diagram_id: str, version: int) -> UpgradedDiagram:
        """Read a version rewritten to centralized data references; nothing is saved."""
        return await self._rest.get(f"{_diagram(diagram_id, version)}/upgraded", UpgradedDiagram)

    async def settings(self, *, include_system: bool = True) -> list[Setting]:
        """Read the settings, those with a meaning for the server included."""
        return (await self._rest.get("settings", _Settings, includeSystemSettings=include_system)).settings

    async def update_settings(self, values: Mapping[str, str], *, encrypted: bool | None = None) -> None:
        """Add or change settings; others stay. ``encrypted`` makes them secrets (``smtpPassword`` always is one)."""
        given = [{"propName": name, "value": value, "encrypted": encrypted} for name, value in values.items()]
        await self._rest.post("settings", {"settings": given}, Success)

    async def lookups(self, lookup_type: str) -> dict[str, int]:
        """Read the values of a lookup type, such as ``priority``, by name and in order."""
        found = await self._rest.get(f"lookups/{part(lookup_type)}", _Lookups)
        return {each.lookup_name: each.value for each in found.lookups}

    async def replace_lookups(self, lookup_type: str, values: Mapping[str, int]) -> None:
        """Make a lookup type, or give it these values and no others."""
        body = _Lookups(lookups=[_Lookup(lookup_name=name, value=value) for name, value in values.items()])
        await self._rest.put(f"lookups/{part(lookup_type)}", body, Success)

    async def delete_lookups(self, lookup_type: str) -> None:
        """Delete a lookup type of one's own."""
        await self._rest.delete(f"lookups/{part(lookup_type)}", Success)

    async def stored_templates(self, template_type: str) -> list[StoredTemplate]:
        """List the stored templates of a type: ``email``, ``webRequest``, or one's own."""
        return (await self._rest.get(f"templates/{part(template_type)}", _Templates)).templates

    async def stored_template(self, template_type: str, template_id: str) -> StoredTemplate:
        """Read a stored template with its details."""
        return await self._rest.get(_template(template_type, template_id), StoredTemplate)

    async def create_stored_template(
        self, template_type: str, name: str, details: str, *, template_id: str | None = None
    ) -> str:
        """Store a template, ``details`` being JSON text; returns its id."""
        body = {"templateName": name, "templateDetails": details, "templateId": template_id}
        return (await self._rest.post(f"templates/{part(template_type)}", body, _TemplateId)).template_id

    async def update_stored_template(
        self, template_type: str, template_id: str, *, name: str | None = None, details: str | None = None
    ) -> None:
        """Change a stored template's name, its details, or both."""
        body = {"templateName": name, "templateDetails": details}
        await self._rest.put(_template(template_type, template_id), body, Success)

    async def delete_stored_template(self, template_type: str, template_id: str) -> None:
        """Delete a stored template; what names it sends nothing any more."""
        await self._rest.delete(_template(template_type, template_id), Success)


class _DiagramUpdated(Model, frozen=True):
    success: bool
    warnings: tuple[DiagramWarning, ...] = ()


class _Diagrams(Model, frozen=True):
    diagrams: list[DiagramLine]


class _Settings(Model, frozen=True):
    settings: list[Setting]


class _Lookup(Model, frozen=True):
    lookup_name: str
    value: int


class _Lookups(Model, frozen=True):
    lookups: list[_Lookup]


class _Templates(Model, frozen=True):
    templates: list[StoredTemplate]


class _TemplateId(Model, frozen=True):
    template_id: str


def _template(template_type: str, template_id: str) -> str:
    return f"templates/{part(template_type)}/{part(template_id)}"


def _diagram(diagram_id: str, version: int | None = None) -> str:
    path = f"diagrams/{part(diagram_id)}"
    return path if version is None else f"{path}/{version}"
