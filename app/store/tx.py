"""``Tx`` on SQL: the query modules joined. ``postgres_tx.py`` adds what several writers at once make necessary."""

from app.services.ports import JobRecord
from app.store.administration import AdministrationQueries
from app.store.attachments import AttachmentQueries
from app.store.automations import AutomationQueries
from app.store.blob_rows import BlobQueries
from app.store.diagrams import DiagramQueries
from app.store.dispatches import DispatchQueries
from app.store.feed import FeedQueries
from app.store.holds import HoldQueries
from app.store.item_removal import ItemRemovalQueries
from app.store.items import ItemQueries
from app.store.job_search import SearchQueries
from app.store.kept_answers import KeptAnswerQueries
from app.store.numbers import NumberQueries
from app.store.people import PeopleQueries
from app.store.properties import PropertyQueries
from app.store.records import RecordQueries
from app.store.runs import RunQueries
from app.store.webhooks import WebhookQueries


class SqlTx(
    ItemQueries,
    ItemRemovalQueries,
    AdministrationQueries,
    NumberQueries,
    SearchQueries,
    FeedQueries,
    RecordQueries,
    AttachmentQueries,
    PropertyQueries,
    HoldQueries,
    RunQueries,
    DispatchQueries,
    KeptAnswerQueries,
    DiagramQueries,
    AutomationQueries,
    PeopleQueries,
    BlobQueries,
    WebhookQueries,
):
    """One transaction. Its contract is ``app.services.ports.Tx``; this is all of it where one writes at a time."""

    def delete_job(self, record: JobRecord) -> None:
        self.loosen_blobs_of(record.key)
        super().delete_job(record)
