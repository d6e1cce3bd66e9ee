"""What a CreateJob step is told: ``action.args``, which are ours (docs/service-steps.md)."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.job import AssignedType
from app.errors import InvalidValue
from app.expressions import arcade


class GivenValue(msgspec.Struct, rename="camel"):
    """A value that the server sets: ``identifier`` is ``table.property`` or a member of the job such as ``dueDate``,
    ``value`` a constant, or Arcade; ``null`` takes the value away."""

    identifier: str
    value: str | float | bool | None = None


class CreateJobArgs(msgspec.Struct, rename="camel"):
    """Jobs to be created. Every text may be Arcade; what is not said is as in the template.

    ``items`` is an array in Arcade: one job for each item. An item that is a dictionary says of its job what these
    members say of all (by their names here, or ``table.property``); any other is the value of ``itemProperty``.
    ``createAsDependency``: the steps that follow wait until the jobs are complete.
    """

    job_template_id: Annotated[str, Meta(min_length=1)]
    number_of_jobs: Annotated[int, Meta(ge=0)] | str | None = None
    items: str | None = None
    item_property: str | None = None
    create_as_child: bool | None = None
    create_as_dependency: bool | None = None
    job_name: str | None = None
    description: str | None = None
    notes: str | None = None
    priority: str | None = None
    job_status: str | None = None
    owned_by: str | None = None
    assigned_type: AssignedType | None = None
    assigned_to: str | None = None
    start_date: str | None = None
    due_date: str | None = None
    extended_properties: list[GivenValue] | None = None

    def faults(self) -> Iterator[str]:
        """What is wrong beyond the types of the members."""
        if self.items is not None and self.number_of_jobs is not None:
            yield "items has a job for each item, numberOfJobs says how many; it must be one of them"
        if self.assigned_type in {AssignedType.USER, AssignedType.GROUP} and not self.assigned_to:
            yield f"assignedTo is missing, and assignedType is {self.assigned_type}"
        for name, value in msgspec.to_builtins(self).items():
            yield from expression_faults(name, value, must_be_one=name == "items")
        yield from value_faults("extendedProperties", self.extended_properties)


def value_faults(name: str, values: Sequence[GivenValue] | None) -> Iterator[str]:
    """What is wrong with the expressions among values."""
    for number, given in enumerate(values or ()):
        yield from expression_faults(f"{name}[{number}].value", given.value)


def expression_faults(name: str, value: object, *, must_be_one: bool = False) -> Iterator[str]:
    """What is wrong with a text, where it is an expression."""
    if isinstance(value, str) and (must_be_one or arcade.is_expression(value)):
        try:
            arcade.parse(value)
        except InvalidValue as error:
            yield f"{name}: {error.message.rstrip('.')}"
