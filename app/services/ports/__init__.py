"""What the use cases need from outside, as protocols, and the records that cross these borders.

Each protocol's docstring is the contract that ``tests/contracts`` checks against every implementation.
"""

from app.services.ports.automations import Automation, DueAutomation
from app.services.ports.definitions import (
    DiagramRecord,
    DiagramSummary,
    Group,
    Item,
    JobTemplate,
    KeptAnswer,
    SavedSearch,
    Setting,
    SigningKey,
    StoredTemplate,
    User,
)
from app.services.ports.jobs import (
    ChainFault,
    Comment,
    Dependent,
    FeedMessage,
    HistoryEntry,
    JobQuery,
    JobRecord,
    JobRow,
    ReleasedHold,
    Scalar,
    SortBy,
)
from app.services.ports.nodes import Bus, BusStats, Effects, Post, Publisher, RunStarter
from app.services.ports.numbers import ApiClient, JobFilter, JobOrder, Project, Sight
from app.services.ports.runs import AnswerRecord, Dispatch, Errand, PendingAnswer, RunRecord, Timer
from app.services.ports.steps import (
    Adoption,
    AtomicWork,
    DispatchSender,
    StepContext,
    StepExecutor,
    StepServices,
    StepSignals,
)
from app.services.ports.store import BlobInfo, BlobStore, Store, StoreStats, Vault
from app.services.ports.tx import Tx

__all__ = [
    "Adoption",
    "AnswerRecord",
    "ApiClient",
    "AtomicWork",
    "Automation",
    "BlobInfo",
    "BlobStore",
    "Bus",
    "BusStats",
    "ChainFault",
    "Comment",
    "Dependent",
    "DiagramRecord",
    "DiagramSummary",
    "Dispatch",
    "DispatchSender",
    "DueAutomation",
    "Effects",
    "Errand",
    "FeedMessage",
    "Group",
    "HistoryEntry",
    "Item",
    "JobFilter",
    "JobOrder",
    "JobQuery",
    "JobRecord",
    "JobRow",
    "JobTemplate",
    "KeptAnswer",
    "PendingAnswer",
    "Post",
    "Project",
    "Publisher",
    "ReleasedHold",
    "RunRecord",
    "RunStarter",
    "SavedSearch",
    "Scalar",
    "Setting",
    "Sight",
    "SigningKey",
    "SortBy",
    "StepContext",
    "StepExecutor",
    "StepServices",
    "StepSignals",
    "Store",
    "StoreStats",
    "StoredTemplate",
    "Timer",
    "Tx",
    "User",
    "Vault",
]
