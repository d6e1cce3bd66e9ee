"""Items as wholes, as their administrators speak of them."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from app.services.first_start import ORG_ID
from tests.api.conftest import ok
from tests.conformance.people import Person

ADMIN_ROOT = f"/{ORG_ID}/admin"


def at_server(person: Person, method: str, path: str, **options: Any) -> Any:
    """A request below ``/{orgId}/admin``."""
    options.setdefault("headers", {"Authorization": f"Bearer {person.token()}"})
    return person.client.request(method, f"{ADMIN_ROOT}/{path}", **options)


def made(person: Person, name: str) -> str:
    """An item that this person makes; returns its id."""
    answer = at_server(person, "POST", f"createWorkflowItem?name={name}", json={"async": True})
    return str(ok(answer)["itemId"])


def in_item(person: Person, item_id: str) -> Person:
    """The same person, speaking to another item."""
    return Person(person.client, person.username, f"/{ORG_ID}/{item_id}")


def exported(person: Person, item_id: str, **body: Any) -> bytes:
    """An item's configuration, as a file."""
    answer = at_server(person, "POST", f"{item_id}/export", json=body)
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def imported(person: Person, item_id: str, file: bytes, **fields: Any) -> Any:
    """The response to an import; ``mappingFile`` may be among the fields."""
    files = {"file": ("workflow_configuration.wmc", file)}
    if (mapping := fields.pop("mappingFile", None)) is not None:
        files["mappingFile"] = ("workflow_mapping.json", mapping)
    return at_server(person, "POST", f"{item_id}/import", files=files, data=fields)


def opened(file: bytes) -> dict[str, Any]:
    """The files of a configuration, read."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def packed(files: Mapping[str, Any]) -> bytes:
    """A zip of these files; what is not bytes becomes JSON."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return data.getvalue()
