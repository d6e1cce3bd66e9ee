"""The endpoint index (rest.md 4) as data: every operation, what it needs, and the test that shows it.

A new route gets a row here, a line in the table of docs/compatibility.md (``Row.line`` writes it) and a test of that
name; ``test_rows.py`` holds them together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

ITEM: Final = "/{orgId}/{itemId}"
ORG: Final = "/{orgId}"
WEBSOCKET: Final = "WS"
"""In place of a method: the route is a websocket."""


@dataclass(frozen=True, slots=True)
class Row:
    """One operation.

    Args:
        path: as ``operations.py`` names it, with the wire's words for its segments.
        operation: its ``operation_id``.
        privileges: those that let it be done, any one or each for its part; none: any role in the item suffices.
        test: ``file::name`` below this folder.
    """

    method: str
    path: str
    operation: str
    privileges: tuple[str, ...]
    test: str

    @property
    def line(self) -> str:
        """Its line in docs/compatibility.md."""
        needs = ", ".join(f"`{name}`" for name in self.privileges) or "—"
        path = self.path.replace(ITEM, "I").replace(ORG, "O")
        return f"| {self.method} `{path}` | {self.operation} | {needs} | `{self.test}` |"


def rows() -> Iterator[Row]:
    """Every row."""
    for section in (_JOBS, _ADMINISTRATION):
        yield from section


def _row(method: str, path: str, operation: str, privileges: str, test: str) -> Row:
    return Row(method, path, operation, tuple(privileges.split()), test)


_JOB: Final = f"{ITEM}/jobs/{{jobId}}"

_JOBS: Final = (
    _row(
        "POST",
        f"{ITEM}/jobTemplates/{{jobTemplateId}}/job",
        "createJobs",
        "jobCreate",
        "test_section_05_01_create.py::test_create_jobs_answers_with_the_ids_and_no_success",
    ),
    _row("GET", _JOB, "getJob", "", "test_section_05_02_get.py::test_get_job_has_every_required_member"),
)

_ADMIN: Final = f"{ORG}/admin"
_ADMIN_TESTS: Final = "test_section_13_administration.py"

_ADMINISTRATION: Final = (
    _row(
        "POST",
        f"{_ADMIN}/createWorkflowItem",
        "createWorkflowItem",
        "publisher",
        f"{_ADMIN_TESTS}::test_a_new_item_is_there_when_the_answer_comes",
    ),
    _row(
        "GET",
        f"{_ADMIN}/{{itemId}}/creationStatus",
        "getCreationStatus",
        "",
        f"{_ADMIN_TESTS}::test_the_status_is_told_to_who_has_to_do_with_the_item",
    ),
    _row(
        "POST",
        f"{_ADMIN}/{{itemId}}/upgrade",
        "upgradeItem",
        "adminAdvanced",
        f"{_ADMIN_TESTS}::test_the_owner_upgrades_with_admin_advanced",
    ),
    _row(
        "DELETE",
        f"{_ADMIN}/{{itemId}}",
        "deleteItem",
        "administrator",
        f"{_ADMIN_TESTS}::test_a_deleted_item_is_not_found_any_more",
    ),
)
