"""The functions that workflows add to Arcade: what is asked of a job, and of a user (rest.md 13.1)."""

from typing import Final

from app.expressions.arcade_functions import Functions, Given
from app.expressions.arcade_scope import JobMembers, UserFacts
from app.expressions.arcade_values import Dictionary, Value, checked

FUNCTIONS: Final = Functions()

_MEMBERS: Final = {
    "JobId": ("jobId", "The job's id"),
    "JobName": ("jobName", "The job's name"),
    "JobDescription": ("description", "The job's description"),
    "JobNotes": ("notes", "The job's notes"),
    "JobStatus": ("jobStatus", "The job's status"),
    "JobPriority": ("priority", "The name of the job's priority"),
    "JobPercentComplete": ("percentComplete", "How much of the job is done, 0 to 100"),
    "JobOwner": ("ownedBy", "The name of the user who owns the job"),
    "JobCreator": ("createdBy", "The name of the user who created the job"),
    "JobTemplateName": ("jobTemplateName", "The name of the job's template"),
    "JobType": ("jobTemplateName", "The same as JobTemplateName"),
    "JobParentId": ("parentJob", "The id of the job's parent job"),
    "JobLocation": ("location", "The extent of the job's place as `xmin,ymin,xmax,ymax,wkid`, in Web Mercator"),
}
_DATES: Final = {
    "JobCreatedDate": ("createdDate", "When the job was created"),
    "JobStartDate": ("startDate", "The start date of the job"),
    "JobStartedDate": ("startedDate", "When the first step of the job was run"),
    "JobDueDate": ("dueDate", "The due date of the job"),
    "JobEndDate": ("endDate", "When the job was closed"),
}


def _job(given: Given) -> JobMembers:
    """The job that the first argument names by its id: mostly the scope's own."""
    job_id, own = given[0], given.scope.job
    if job_id is None or job_id == "":
        given.fail(f"{given.name} needs a job, and there is none here")
    if not isinstance(job_id, str):
        given.wrong(0, "a job, for instance $job,", job_id)
    if own is not None and own.get("jobId") == job_id:
        return own
    found = given.scope.facts.job(job_id)
    return found if found is not None else given.fail(f"there is no job {job_id[:40]!r}")


def _member(given: Given, member: str) -> Value:
    value = _job(given).get(member)
    return checked(value() if callable(value) else value, f"{member} of the job", given.position)


def _add_member(name: str, member: str, meaning: str) -> None:
    FUNCTIONS.add(name, "job", means=meaning, is_of_job=True)(lambda given: _member(given, member))


def _add_date(name: str, member: str, meaning: str) -> None:
    def seconds(given: Given) -> Value:
        ms = _job(given).get(member)
        return None if ms is None else ms // 1000

    FUNCTIONS.add(name, "job", means=f"{meaning}, in seconds since 1970", is_of_job=True)(seconds)


for _name, (_key, _meaning) in _MEMBERS.items():
    _add_member(_name, _key, _meaning)
for _name, (_key, _meaning) in _DATES.items():
    _add_date(_name, _key, _meaning)


@FUNCTIONS.add("JobHasLocation", "job", means="Whether the job has a place on the map", is_of_job=True)
def _has_location(given: Given) -> Value:
    return _member(given, "location") is not None


@FUNCTIONS.add(
    "JobExtendedProperty",
    "job",
    "table",
    "property",
    means="An extended property, of the type its template gives it",
    is_of_job=True,
)
def _extended_property(given: Given) -> Value:
    job = _job(given)
    value = given.scope.facts.job_property(job["jobId"], given.text(1), given.text(2))
    return checked(value, f"{given.text(1)}.{given.text(2)}", given.position)


@FUNCTIONS.add(
    "JobOutputArray", "job", "stepId", means="An array of what the last run of a step has put out", is_of_job=True
)
def _output_array(given: Given) -> Value:
    job = _job(given)
    return checked(given.scope.facts.job_output(job["jobId"], given.text(1)), "the output", given.position)


@FUNCTIONS.add("LastRunner", "job", "stepId", means="The name of the user who has run a step last", is_of_job=True)
def _last_runner(given: Given) -> Value:
    job = _job(given)
    return given.scope.facts.last_runner(job["jobId"], given.text(1))


@FUNCTIONS.add("JobComment", "job", means="The newest comment on the job", is_of_job=True)
def _comment(given: Given) -> Value:
    return checked(given.scope.facts.last_comment(_job(given)["jobId"]), "the comment", given.position)


def _user(given: Given, index: int = 0) -> UserFacts:
    name = given.text(index)
    found = given.scope.facts.user(name)
    return found if found is not None else given.fail(f"there is no user {name[:40]!r}")


@FUNCTIONS.add(
    "UserGroups", "user", means="The ids of the user's groups, each in single quotes, with commas between them"
)
def _user_groups(given: Given) -> Value:
    quoted = ("'" + group.replace("'", "''") + "'" for group in _user(given).groups)
    return checked(",".join(quoted), "the groups", given.position)


@FUNCTIONS.add("UserEmail", "user", means="The user's e-mail address")
def _user_email(given: Given) -> Value:
    return checked(_user(given).email, "the address", given.position)


@FUNCTIONS.add("UserFullName", "user", means="The user's full name, or the user name if there is none")
def _user_full_name(given: Given) -> Value:
    user = _user(given)
    return checked(user.full_name or user.username, "the name", given.position)


@FUNCTIONS.add(
    "GetUser",
    "portal",
    "user",
    means="A dictionary of a user's `username`, `fullName`, `email` and `groups`; the present user if none is named",
    optional=2,
)
def _get_user(given: Given) -> Value:
    """The portal is this server, whatever is given for it."""
    user = _user(given, 1) if len(given) == 2 else _present(given)
    groups = tuple(user.groups)
    members = {"username": user.username, "fullName": user.full_name, "email": user.email, "groups": groups}
    return Dictionary({name: checked(value, name, given.position) for name, value in members.items()})


def _present(given: Given) -> UserFacts:
    name = given.scope.current_user
    found = given.scope.facts.user(name) if name else None
    return found if found is not None else given.fail("GetUser needs a user, and there is none here")
