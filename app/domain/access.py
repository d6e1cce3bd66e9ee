"""Who may do what: privileges, the roles that carry them, and the actor a command is judged by."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.job import AssignedType, Assignment

_VIEWS = (
    "viewManagePage viewWorkPage viewCreatePanel viewCustomSearch viewDetailsPanelAttachments "
    "viewDetailsPanelComments viewDetailsPanelDiagram viewDetailsPanelHistory viewDetailsPanelHolds "
    "viewDetailsPanelLocation viewDetailsPanelNotes viewDetailsPanelProperties"
).split()

_DESIGNER = (
    "adminBasic jobAssignGroup jobUpdateHolds jobUpdateAttachments queryUpdate jobAssignIndividual jobAssignAny "
    "jobCreate jobReopenClosed jobUpdateDate jobUpdateDescription jobUpdateName jobUpdateOwner jobUpdatePriority "
    "jobUpdateStatus jobUpdateNotes AOIOverideOverlap jobUpdateDependencies jobUpdateParentJob jobUpdateAOI jobClose "
    "jobUpdateExtendedProperties jobUpdateVersions pathAssignAny workflowSetStepCurrent jobheldUpdateProperties "
    "jobheldAddComments jobheldAddAttachments jobUpdateLocation jobDelete jobUpgrade jobDeleteMap"
).split()

_BASIC = (
    "jobAssignGroup jobUpdateHolds jobUpdateAttachments jobUpdateNotes queryUpdate jobAssignIndividual viewWorkPage "
    "viewCreatePanel viewDetailsPanelAttachments viewDetailsPanelProperties viewDetailsPanelLocation "
    "viewDetailsPanelNotes viewDetailsPanelComments viewCustomSearch"
).split()

_ADVANCED = (
    "jobAssignAny jobCreate jobReopenClosed jobUpdateDate jobUpdateDescription jobUpdateName jobDelete jobUpdateOwner "
    "jobUpdatePriority jobUpdateStatus AOIOverideOverlap jobUpdateExtendedProperties jobUpdateLocation jobUpdateHolds "
    "jobUpdateNotes jobUpdateParentJob jobUpdateVersions viewManagePage viewWorkPage viewCreatePanel "
    "viewDetailsPanelAttachments viewDetailsPanelComments viewDetailsPanelDiagram viewDetailsPanelHistory "
    "viewDetailsPanelHolds viewDetailsPanelLocation viewDetailsPanelNotes viewDetailsPanelProperties viewCustomSearch"
).split()

_ADMINISTRATOR = ["adminAdvanced", "jobForceStop", *(name for name in _DESIGNER if name != "adminBasic"), *_VIEWS]

PRIVILEGES = frozenset([*_ADMINISTRATOR, *_DESIGNER, "jobUpdatePercentComplete"])
"""Every privilege there is (rest.md 3.1). A role may name no other."""


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of privileges of one item."""

    name: str
    description: str
    privileges: tuple[str, ...]


class PortalRole(StrEnum):
    """What a user may do with workflow items as wholes. Within an item the roles of the user's groups say.

    A publisher makes items, and deletes their own; an administrator may do both to all.
    """

    USER = "user"
    PUBLISHER = "publisher"
    ADMINISTRATOR = "administrator"


ADMIN_ROLE = "Workflow Administrator"

DEFAULT_ROLES = (
    Role(ADMIN_ROLE, "Everything, the item's settings included.", tuple(_ADMINISTRATOR)),
    Role("Workflow Designer", "Designs diagrams and job templates, and works on any job.", tuple(_DESIGNER)),
    Role("Manage Jobs - Basic", "Works on the jobs of the own groups.", tuple(_BASIC)),
    Role("Manage Jobs - Advanced", "Creates, changes and assigns any job.", tuple(_ADVANCED)),
    Role(
        "View Jobs",
        "Sees jobs and changes nothing.",
        tuple(name for name in _VIEWS if name != "viewCreatePanel"),
    ),
)
"""The roles of a new item (rest.md 3.2). The fifth one's name and contents are ours: docs/compatibility.md."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who gives a command: the user's name, groups (ids) and privileges in one item.

    ``is_system`` marks the server itself (timers, automatic steps, met dependencies): never refused for who it is.
    """

    username: str
    groups: frozenset[str] = field(default_factory=frozenset)
    privileges: frozenset[str] = field(default_factory=frozenset)
    is_system: bool = False

    def may(self, privilege: str) -> bool:
        """Tell whether the actor has the privilege; ``adminAdvanced`` includes ``adminBasic``."""
        if self.is_system or privilege in self.privileges:
            return True
        return privilege == "adminBasic" and "adminAdvanced" in self.privileges

    def may_choose_user(self, username: str, groups: Iterable[str]) -> bool:
        """Tell whether a person is one whom the actor may give work to (rest.md 9, ``isAssignable``).

        What that work is and whose it was counts too, and is judged when it is given (``domain.manage``).

        Args:
            groups: those of the person's groups that have a role in the item.
        """
        if self.may("jobAssignAny") or (self.may("jobAssignGroup") and not self.groups.isdisjoint(groups)):
            return True
        return self.may("jobAssignIndividual") and username == self.username

    def may_choose_group(self, group_id: str) -> bool:
        """As ``may_choose_user``, for a group."""
        if self.may("jobAssignAny"):
            return True
        return group_id in self.groups and (self.may("jobAssignGroup") or self.may("jobAssignIndividual"))

    def may_use_shared(self, groups: Collection[str]) -> bool:
        """What is shared with groups is for their members and for those who may change it; with none, for everybody."""
        return not groups or not self.groups.isdisjoint(groups) or self.may("adminBasic")

    def is_assigned(self, assignment: Assignment) -> bool:
        """Tell whether work assigned like this is the actor's: by name, or through a group. Unassigned is nobody's."""
        if self.is_system:
            return True
        if assignment.type is AssignedType.USER:
            return assignment.to == self.username
        return assignment.type is AssignedType.GROUP and assignment.to in self.groups


SYSTEM = Actor("system", is_system=True)
