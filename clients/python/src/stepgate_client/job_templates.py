"""Job templates (rest.md 7)."""

from collections.abc import Iterable, Mapping
from typing import Any

from stepgate_client.models import Model, Success
from stepgate_client.rest import Rest, part


class JobTemplateLine(Model, frozen=True):
    """One line of the list of job templates."""

    job_template_id: str
    job_template_name: str
    diagram_id: str
    state: str
    diagram_name: str | None = None
    category: str | None = None
    description: str | None = None


class JobTemplates:
    """Reads and changes job templates; ``Client.job_templates`` is one. Calls raise as those of ``Client``; changes and
    whom a template is shared with need the privilege ``adminBasic``.

    A template travels as the mapping that the REST API knows (rest.md 14.2): what was read can be changed and sent.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def all(self) -> list[JobTemplateLine]:
        """List the templates one may use."""
        return (await self._rest.get("jobTemplates", _Templates)).job_templates

    async def get(self, template_id: str) -> dict[str, Any]:
        """Read a template."""
        return await self._rest.get(_path(template_id), dict[str, Any])

    async def create(self, template: Mapping[str, Any]) -> str:
        """Create a template; returns its id. ``jobTemplateName``, ``diagramId``, ``diagramName``,
        ``defaultPriorityName`` and ``state`` must be there."""
        return (await self._rest.post("jobTemplates", dict(template), _TemplateId)).job_template_id

    async def update(self, template_id: str, template: Mapping[str, Any]) -> None:
        """Change a template; of the others than those ``create`` needs, what is missing stays as it is."""
        await self._rest.put(_path(template_id), dict(template), Success)

    async def delete(self, template_id: str) -> None:
        """Delete a template that no job was made from."""
        await self._rest.delete(_path(template_id), Success)

    async def share(self, template_id: str, group_ids: Iterable[str]) -> None:
        """Let only members of these groups use a template; without any, everybody."""
        await self._rest.post(f"{_path(template_id)}/shareWith", _Shared(group_ids=[*group_ids]), Success)

    async def shared_with(self, template_id: str) -> tuple[str, ...]:
        """Read the ids of the groups a template is shared with."""
        return tuple((await self._rest.get(f"{_path(template_id)}/shareWith", _Shared)).group_ids)


class _Templates(Model, frozen=True):
    job_templates: list[JobTemplateLine]


class _TemplateId(Model, frozen=True):
    job_template_id: str


class _Shared(Model, frozen=True):
    group_ids: list[str]


def _path(template_id: str) -> str:
    return f"jobTemplates/{part(template_id)}"
