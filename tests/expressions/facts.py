"""Facts that are known without a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.expressions.arcade import ArcadeError, Scope, UserFacts, Value

NOW_MS = 1_763_368_200_500  # 2025-11-17T08:30:00.500Z, a Monday
DUE_MS = 1_589_414_631_000  # 2020-05-14T00:03:51Z, a Thursday

JOB = {
    "jobId": "j1",
    "jobName": "Arcade @ Tests",
    "description": None,
    "createdBy": "ana",
    "ownedBy": "b.lee",
    "jobStatus": "Ready",
    "priority": "High",
    "percentComplete": 12.5,
    "jobTemplateName": "Review",
    "parentJob": "j0",
    "notes": "it's",
    "createdDate": NOW_MS,
    "startDate": NOW_MS,
    "startedDate": None,
    "dueDate": DUE_MS,
    "endDate": None,
    "location": lambda: "1.0,2.0,3.0,4.5,102100",
}


@dataclass
class KnownFacts:
    """Two users, two jobs, and whatever else a test adds."""

    properties: Mapping[tuple[str, str, str], Value] = field(default_factory=dict)
    outputs: Mapping[tuple[str, str], tuple[Value, ...]] = field(default_factory=dict)
    ids: int = 0

    def now_ms(self) -> int:
        return NOW_MS

    def new_id(self) -> str:
        self.ids += 1
        return "AAAAAAAAAAAAAAAAAAAAAQ"

    def user(self, username: str) -> UserFacts | None:
        users = [UserFacts("carla", "Carla C.", "c@example.org", ("g1", "o'g")), UserFacts("ana", None, None, ())]
        return next((user for user in users if user.username == username), None)

    def job(self, job_id: str) -> Mapping[str, Any] | None:
        jobs: dict[str, Mapping[str, Any]] = {"j1": JOB, "j0": {"jobId": "j0", "jobName": "Parent"}}
        return jobs.get(job_id)

    def job_property(self, job_id: str, table: str, name: str, *, coming: str | None = None) -> Value:
        if coming is not None:
            return coming
        if (job_id, table, name) not in self.properties:
            raise ArcadeError(f"the job has no extended property {table}.{name}")
        return self.properties[job_id, table, name]

    def job_output(self, job_id: str, step_id: str) -> tuple[Value, ...]:
        return self.outputs.get((job_id, step_id), ())

    def last_runner(self, job_id: str, step_id: str) -> str | None:
        return "dora" if (job_id, step_id) == ("j1", "s1") else None

    def last_comment(self, job_id: str) -> str | None:
        return "Looks good" if job_id == "j1" else None


FACTS = KnownFacts(
    properties={("j1", "parcel", "apn"): "12-34", ("j1", "parcel", "area"): 7},
    outputs={("j1", "s2"): ("a b", 2, None)},
)
SCOPE = Scope(current_user="carla", job=JOB, ret_val=1, facts=FACTS)
