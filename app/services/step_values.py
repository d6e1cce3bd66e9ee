"""Values that a service step sets on its job: constants or Arcade, checked like those that people give."""

from collections.abc import Mapping, Sequence

from app.domain.job import Job
from app.domain.updates import Present, set_by_step
from app.protocol.create_job import GivenValue
from app.services.engine import Unit
from app.services.recording import Jobs, property_facts
from app.services.texts import Texts


def set_values(unit: Unit, jobs: Jobs, job_id: str, given: Mapping[str, str | None]) -> None:
    """Set members and extended properties of a job, by identifier, for one of its steps.

    Raises:
        InvalidValue: not values of these properties; ``details`` names each.
    """
    record = jobs.lock(job_id)
    facts = property_facts(unit, record.job)
    present = Present(facts.tables, tuple(unit.tx.properties(record)), ())
    diagram = jobs.diagram(record.job)
    decision = set_by_step(record.job, diagram, facts.read(given), jobs.moment(), present=present)
    jobs.save(record, decision, diagram)


def computed_values(job: Job, started_by: str, values: Sequence[GivenValue] | None) -> dict[str, str | None]:
    """Values by identifier, each computed where it is an expression. Raises StepFailed."""
    return {each.identifier: computed(job, started_by, each.identifier, each.value) for each in values or ()}


def computed(job: Job, started_by: str, name: str, value: str | float | bool | None) -> str | None:
    """A value as text: computed where it is an expression. Raises StepFailed; ``name`` is what the error calls it."""
    if value is None:
        return None
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else f"{value}"
    return Texts(job, started_by).text(name, value)


def computed_all(job: Job, started_by: str, values: Mapping[str, str | None]) -> dict[str, str]:
    """Several, by name; those that are None are left out. Raises StepFailed."""
    found = {name: computed(job, started_by, name, value) for name, value in values.items()}
    return {name: text for name, text in found.items() if text is not None}
