"""Every write, tried by those who may not and where it cannot be: refused, nothing changes, nobody hears of it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.domain.access import PRIVILEGES
from tests.conformance.people import Person, Watcher
from tests.conformance.scene import CLOSED, IDLE, RUNNING, Ids, Scene
from tests.conformance.writes import DENIED, ONE_OF_EACH, WRITES, Write, lets, outcome

every_operation = pytest.mark.parametrize("write", ONE_OF_EACH, ids=lambda write: write.operation)
every_write = pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)

COUNTS = ("closed=0", "closed=1")


@pytest.fixture(scope="module")
def scene(client: Any) -> Scene:
    """Nothing is done to it, for everything is refused: one is enough for all tests."""
    return Scene(Person(client))


@pytest.fixture(scope="module")
def watcher(client: Any, scene: Scene) -> Iterator[Watcher]:
    """Hears all that is told of the scene's jobs."""
    with Person(client).watch(*(scene.job(kind) for kind in (IDLE, RUNNING, CLOSED))) as watcher:
        yield watcher


class Trial:
    """Tries a write that must be refused: what could change is compared, and the next message is the next one."""

    def __init__(self, admin: Person, scene: Scene, watcher: Watcher) -> None:
        self.admin, self.scene, self.watcher = admin, scene, watcher

    def of(self, write: Write, person: Person, job: str | None = None, **options: Any) -> str:
        """Its outcome."""
        ids = self.scene.of(job or write.job)
        write.prepare(ids)
        before = self._state(write, ids)
        found = outcome(write.send(person, self.scene, job, **options))
        assert self._state(write, ids) == before
        self._hear_nothing_of(ids["jobId"])
        return found

    def _state(self, write: Write, ids: Ids) -> list[Any]:
        counts = [self.admin.post("jobs/statistics", {"q": q}) for q in COUNTS] if not write.reads else []
        return [*(self.admin.get(path.format_map(ids)) for path in write.reads), *counts]

    def _hear_nothing_of(self, job_id: str) -> None:
        """A comment's message comes directly after those from before the trial."""
        seq = self.watcher.seqs[job_id]
        self.admin.post(f"jobs/{job_id}/comments", {"comment": "next"})
        told = self.watcher.next()
        assert (told["msgType"], told["message"]["jobId"], told["seq"]) == ("JobCommentUpdated", job_id, seq + 1)


@pytest.fixture
def trial(admin: Person, scene: Scene, watcher: Watcher) -> Trial:
    return Trial(admin, scene, watcher)


@every_operation
def test_a_write_without_a_token_is_refused(trial: Trial, admin: Person, write: Write) -> None:
    assert trial.of(write, admin, headers={}) == "401 Unauthenticated"


@every_operation
def test_a_write_with_the_token_of_another_items_user_is_refused(trial: Trial, stranger: Person, write: Write) -> None:
    here = Person(stranger.client, stranger.username)
    assert trial.of(write, here) == "403 PermissionDenied"


@every_write
def test_a_write_without_its_privilege_is_refused(trial: Trial, viewer: Person, write: Write) -> None:
    if write.without:
        assert trial.of(write, viewer) == write.without
    else:
        assert outcome(write.send(viewer, trial.scene)) == "200 Success", "it needs none"
        trial.watcher.next()


with_privilege = pytest.mark.parametrize(
    "write", [write for write in WRITES if lets(write)], ids=lambda write: write.name
)


@with_privilege
def test_all_other_privileges_do_not_make_up_for_the_one(
    trial: Trial, hire: Callable[..., Person], write: Write
) -> None:
    implied = {"adminAdvanced"} if "adminBasic" in lets(write) else set()
    assert trial.of(write, hire(*(PRIVILEGES - lets(write) - implied))) == DENIED


@with_privilege
def test_the_one_privilege_suffices(admin: Person, hire: Callable[..., Person], write: Write) -> None:
    """A job is updated by its owner besides, and a step is set by whoever has one of the job's."""
    for privilege in sorted(lets(write)):
        scene, person = Scene(admin), hire(privilege)
        job_id = scene.job(write.job)
        if write.operation == "updateJob":
            admin.post(f"jobs/{job_id}/update", {"ownedBy": person.username})
        elif write.operation in {"jobAction", "assignStep"}:
            admin.post(f"jobs/{job_id}/currentStep", {"assignedType": "User", "assignedTo": person.username})
        if write.variant == "ReleaseHold":
            admin.acts(job_id, "Hold")
        mine = {"assignedType": "Group", "assignedTo": person.username} if write.operation == "assignStep" else {}
        found = outcome(write.send(person, scene, change=lambda body, mine=mine: body | mine))
        assert found == "200 Success", privilege


@pytest.mark.parametrize(
    ("write", "segment"),
    [pytest.param(write, segment, id=f"{write.name} {segment}") for write in ONE_OF_EACH for segment in write.unknown],
)
def test_a_write_to_what_is_not_there_is_refused(trial: Trial, admin: Person, write: Write, segment: str) -> None:
    instead = {segment: "77" if segment == "diagramVersion" else "unknown"}
    assert trial.of(write, admin, ids=instead) == write.unknown[segment]


@pytest.mark.parametrize("write", [write for write in ONE_OF_EACH if write.unknown], ids=lambda write: write.name)
def test_the_ids_of_another_item_name_nothing_in_ones_own(trial: Trial, stranger: Person, write: Write) -> None:
    """As if they were not there: the administrator of the second item learns nothing of the first."""
    assert trial.of(write, stranger) in ({write.foreign} if write.foreign else set(write.unknown.values()))


@pytest.mark.parametrize("write", [write for write in WRITES if write.closed], ids=lambda write: write.name)
def test_a_closed_job_is_not_changed(trial: Trial, admin: Person, write: Write) -> None:
    assert trial.of(write, admin, CLOSED) == write.closed


@pytest.mark.parametrize("write", [write for write in WRITES if write.running], ids=lambda write: write.name)
def test_a_running_step_is_in_the_way(trial: Trial, admin: Person, write: Write) -> None:
    assert trial.of(write, admin, RUNNING) == write.running
