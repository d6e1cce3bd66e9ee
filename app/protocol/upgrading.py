"""A diagram rewritten to centralized data references (rest.md 6, ``upgraded``). Nothing is saved, nobody is asked.

A data source is rewritten when the document alone says what its reference must hold, which is so for geoprocessing
services. A reference to a feature service needs the id of its portal item, which only the portal knows; and how a step
names a reference is not documented. Such sources and steps are reported as failed and left as they are.
"""

import uuid
from typing import Any, Final

import msgspec

from app.domain.diagram import Diagram, Step, StepKind
from app.protocol.diagrams import render_diagram

_OWN_DATA: Final = {
    StepKind.DEFINE_LOCATION: ("existingData", "url"),
    StepKind.EXECUTE_GP: ("url",),
}
"""Arguments with which a step names its data by itself."""

_GP_SERVER: Final = "/gpserver"


class UpgradedDiagram(msgspec.Struct, rename="camel"):
    """The rewritten diagram; what was changed in it, and what could not be."""

    transformed_diagram: dict[str, Any]
    modified_step_ids: list[str]
    failed_step_ids: list[str]
    modified_data_source_names: list[str]
    failed_data_source_names: list[str]


class _Sources(msgspec.Struct, rename="camel"):
    """What the rewriting reads; whatever has another form is left as it is."""

    data_sources: Any = None
    centralized_data_references: Any = None
    use_centralized_data_references: Any = None


_sources = msgspec.json.Decoder(_Sources)


def upgrade(body: bytes, diagram: Diagram) -> UpgradedDiagram:
    """Rewrite a stored document. One that uses references already comes back as it is."""
    document, found = render_diagram(body, diagram), _sources.decode(body)
    if found.use_centralized_data_references is True:
        return UpgradedDiagram(document, [], [], [], [])
    references = [each for each in _listed(found.centralized_data_references) if isinstance(each, dict)]
    modified, failed, left = [], [], []
    for source in _listed(found.data_sources):
        reference = _reference(diagram.diagram_id, source, {each.get("alias") for each in references})
        if reference is None:
            failed.append(_name(source))
            left.append(source)
        else:
            references.append(reference)
            modified.append(reference["alias"])
    failed_steps = [step.step_id for step in diagram.steps if _has_own_data(step)]
    document |= {
        "dataSources": left,
        "centralizedDataReferences": references,
        "useCentralizedDataReferences": not (failed or failed_steps),
    }
    return UpgradedDiagram(document, [], failed_steps, modified, failed)


def _listed(member: Any) -> list[Any]:
    return member if isinstance(member, list) else []


def _name(source: Any) -> str:
    return str(source.get("name") or "") if isinstance(source, dict) else ""


def _reference(diagram_id: str, source: Any, taken: set[Any]) -> dict[str, Any] | None:
    """The reference in place of a data source; None when it needs more than the document says, or has no name of its
    own. Its id is the same each time it is asked for."""
    name = _name(source)
    url = source.get("url") if name else None
    if not isinstance(url, str) or _GP_SERVER not in url.lower() or name in taken:
        return None
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{diagram_id}/{name}")),
        "alias": name,
        "isValidated": False,
        "referenceType": "GeoprocessingService",
        "standaloneGPUrl": url,
    }


def _has_own_data(step: Step) -> bool:
    return any(step.args.get(name) for name in _OWN_DATA.get(step.kind, ()))
