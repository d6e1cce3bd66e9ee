"""Bodies that update a job, as they come in (rest.md 5.5)."""

from app.domain.job import DataVersion
from app.errors import InvalidValue
from app.protocol.job_requests import JobMembersBody, Request, RowBody, RowsBody


class ChangedRowBody(RowBody):
    """New values of a row."""

    id: str


class ChangedRowsBody(Request):
    """Changed rows of one table."""

    table_name: str
    entries: list[ChangedRowBody]


class DeletedRowsBody(Request):
    """Rows of one table that are to go."""

    table_name: str
    ids: list[str]


class RelatedBody(Request):
    """What is to become of a job's related rows."""

    adds: list[RowsBody] | None = None
    updates: list[ChangedRowsBody] | None = None
    deletes: list[DeletedRowsBody] | None = None


class VersionBody(Request):
    """A version of a data source; one of the first two, and one of the names, must be there."""

    data_source_name: str | None = None
    data_reference_id: str | None = None
    version_name: str | None = None
    version_guid: str | None = None
    workflow_administered: bool | None = None


class UpdateJobBody(JobMembersBody):
    """``POST jobs/{jobId}/update``: only what is here changes (rest.md 5.5). Clients send the whole job back: members
    that cannot be changed here are ignored."""

    allow_running_step_id: str | None = None
    versions: list[VersionBody] | None = None
    related_properties: RelatedBody | None = None


def read_version(body: VersionBody) -> DataVersion:
    """Read a version of a data source. Raises InvalidValue."""
    if not (body.data_source_name or body.data_reference_id):
        raise InvalidValue("versions: dataSourceName or dataReferenceId must say which data source is meant.")
    if not (body.version_guid or body.version_name):
        raise InvalidValue("versions: versionGuid (better) or versionName must be given.")
    return DataVersion(
        source=body.data_source_name,
        reference_id=body.data_reference_id,
        name=body.version_name,
        guid=body.version_guid,
        workflow_administered=bool(body.workflow_administered),
    )
