"""The part of a transaction that the v3 dialects need: things by their numbers, lists of jobs by phase, programs."""

from collections.abc import Mapping
from typing import Protocol

from app.services.ports.definitions import Item
from app.services.ports.jobs import JobRecord
from app.services.ports.numbers import ApiClient, JobFilter, Project


class NumberTx(Protocol):
    """Numbers, projects, programs, in one transaction (see ``Tx``).

    A number is never given to anything else of its kind, in any item.
    """

    def job_by_number(self, item: Item, number: int) -> JobRecord | None:
        """Read a job without locking it."""

    def job_of_document(self, item: Item, registered_for: str, uuid: str) -> JobRecord | None:
        """The job of a spooled document, whoever owns it now."""

    def list_jobs(self, item: Item, wanted: JobFilter, priorities: Mapping[str, int]) -> list[JobRecord]:
        """A page of the jobs that match; those that are alike by number.

        Args:
            priorities: the values of the item's priorities by name, for sorting.
        """

    def username_of(self, number: int) -> str | None: ...
    def user_numbers(self) -> Mapping[str, int]: ...
    def template_id_of(self, item: Item, number: int) -> str | None: ...
    def template_numbers(self, item: Item) -> Mapping[str, int]: ...
    def project(self, item: Item, number: int) -> Project | None: ...
    def projects(self, item: Item) -> list[Project]: ...
    def add_project(self, item: Item, name: str) -> Project:
        """Raises Conflict when the item has one of that name."""

    def api_client(self, client_id: str) -> ApiClient | None: ...
    def api_clients(self) -> list[ApiClient]: ...
    def add_api_client(self, client: ApiClient) -> None:
        """Raises Conflict when the name is taken, NotFound for the user. A deleted user's programs are gone."""

    def delete_api_client(self, client_id: str) -> bool: ...
