"""The endpoint index (rest.md 4) as data: every operation, what it needs, and the test that shows it.

A new route gets a row here, a line in the table of docs/compatibility.md (``Row.line`` writes it) and a test of that
name; ``test_rows.py`` holds them together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

ITEM: Final = "/{orgId}/{itemId}"
ORG: Final = "/{orgId}"
WEBSOCKET: Final = "WS"
"""In place of a method: the route is a websocket."""


@dataclass(frozen=True, slots=True)
class Row:
    """One operation.

    Args:
        path: as ``operations.py`` names it, with the wire's words for its segments.
        operation: its ``operation_id``.
        privileges: those that let it be done, any one or each for its part; none: any role in the item suffices.
        test: ``file::name`` below this folder.
    """

    method: str
    path: str
    operation: str
    privileges: tuple[str, ...]
    test: str

    @property
    def line(self) -> str:
        """Its line in docs/compatibility.md."""
        needs = ", ".join(f"`{name}`" for name in self.privileges) or "—"
        path = self.path.replace(ITEM, "I").replace(ORG, "O")
        return f"| {self.method} `{path}` | {self.operation} | {needs} | `{self.test}` |"


def rows() -> Iterator[Row]:
    """Every row."""
    for module, lines in _ITEMS.items():
        for method, path, operation, privileges, test in lines:
            begin, *others = path.split("/", 1)
            full = "/".join([{"I": ITEM, "O": ORG}[begin], *others])
            yield _row(method, full, operation, privileges, f"test_section_{module}.py::{test}")
    for section in (_ADMINISTRATION,):
        yield from section


def _row(method: str, path: str, operation: str, privileges: str, test: str) -> Row:
    return Row(method, path, operation, tuple(privileges.split()), test)


_UPDATES: Final = (
    "jobUpdateName jobUpdateDate jobUpdatePriority jobUpdateDescription jobUpdateOwner jobUpdatePercentComplete "
    "jobUpdateStatus jobUpdateNotes jobUpdateParentJob jobUpdateVersions jobUpdateExtendedProperties"
)

_ITEMS: Final[Mapping[str, tuple[tuple[str, str, str, str, str], ...]]] = {
    "05_01_create": (
        (
            "POST",
            "I/jobTemplates/{jobTemplateId}/job",
            "createJobs",
            "jobCreate",
            "test_create_jobs_answers_with_the_ids_and_no_success",
        ),
    ),
    "05_02_get": (("GET", "I/jobs/{jobId}", "getJob", "", "test_get_job_has_every_required_member"),),
    "05_03_search": (
        ("POST", "I/jobs/search", "searchJobs", "", "test_search_jobs_answers_with_rows_in_the_order_of_the_fields"),
        (
            "POST",
            "I/jobs/statistics",
            "jobStatistics",
            "",
            "test_job_statistics_answers_with_the_total_and_with_groups_when_asked",
        ),
    ),
    "05_05_update": (
        (
            "POST",
            "I/jobs/{jobId}/update",
            "updateJob",
            _UPDATES,
            "test_update_job_answers_success_and_changes_what_was_sent_and_nothing_else",
        ),
    ),
    "05_06_actions": (
        (
            "POST",
            "I/jobs/{jobId}/action",
            "jobAction",
            "workflowSetStepCurrent jobUpdateHolds",
            "test_job_action_answers_with_an_entry_for_each_step",
        ),
        (
            "GET",
            "I/jobs/{jobId}/allowedActions",
            "getAllowedActions",
            "",
            "test_get_allowed_actions_tells_what_the_action_would_answer",
        ),
    ),
    "05_07_manage": (
        (
            "POST",
            "I/jobs/manage",
            "manageJobs",
            "jobClose jobReopenClosed jobDelete jobUpgrade",
            "test_manage_jobs_answers_success",
        ),
    ),
    "05_08_assign": (
        (
            "POST",
            "I/jobs/{jobId}/{stepId}",
            "assignStep",
            "jobAssignAny jobAssignGroup jobAssignIndividual",
            "test_assign_step_answers_success_by_the_steps_id_and_as_current_step",
        ),
    ),
    "05_09_attachments": (
        (
            "GET",
            "I/jobs/{jobId}/attachments",
            "getAttachments",
            "",
            "test_get_attachments_lists_them_in_the_order_they_were_added",
        ),
        (
            "POST",
            "I/jobs/{jobId}/attachments",
            "addAttachment",
            "jobUpdateAttachments",
            "test_add_attachment_answers_with_an_address_that_ends_with_the_id",
        ),
        (
            "POST",
            "I/jobs/{jobId}/attachmentslinked",
            "addLinkedAttachments",
            "jobUpdateAttachments",
            "test_add_linked_attachments_answers_in_the_order_of_the_request",
        ),
        (
            "GET",
            "I/jobs/{jobId}/attachments/{attachmentId}",
            "getAttachment",
            "",
            "test_get_attachment_gives_the_bytes_their_type_and_their_name",
        ),
        (
            "POST",
            "I/jobs/{jobId}/attachments/{attachmentId}",
            "updateAttachment",
            "jobUpdateAttachments",
            "test_update_attachment_takes_json_and_either_form",
        ),
        (
            "DELETE",
            "I/jobs/{jobId}/attachments/{attachmentId}",
            "deleteAttachment",
            "jobUpdateAttachments",
            "test_delete_attachment_answers_success_once",
        ),
    ),
    "05_10_comments_history": (
        ("GET", "I/jobs/{jobId}/history", "getHistory", "", "test_get_history_has_lines_of_known_actions"),
        ("GET", "I/jobs/{jobId}/comments", "getComments", "", "test_get_comments_lists_them_oldest_first"),
        ("POST", "I/jobs/{jobId}/comments", "addComment", "", "test_add_comment_answers_with_its_id"),
    ),
    "05_11_location": (
        ("GET", "I/jobs/{jobId}/location", "getJobLocation", "", "test_get_job_location_gives_text_within_json"),
        (
            "PUT",
            "I/jobs/{jobId}/location",
            "setJobLocation",
            "jobUpdateLocation",
            "test_set_job_location_answers_success",
        ),
    ),
    "05_12_job_diagram": (
        (
            "GET",
            "I/jobs/{jobId}/diagram",
            "getJobDiagram",
            "",
            "test_get_job_diagram_gives_the_version_the_job_follows",
        ),
    ),
    "06_diagrams": (
        ("GET", "I/diagrams", "getDiagrams", "", "test_get_diagrams_says_what_is_active_and_what_is_a_draft"),
        ("POST", "I/diagrams", "createDiagram", "adminBasic", "test_create_diagram_answers_with_its_id_and_no_success"),
        (
            "POST",
            "I/checkDiagram",
            "checkDiagram",
            "adminBasic",
            "test_check_diagram_answers_with_warnings_and_stores_nothing",
        ),
        ("GET", "I/diagrams/{diagramId}", "getDiagram", "", "test_get_diagram_gives_the_latest_active_version"),
        (
            "POST",
            "I/diagrams/{diagramId}",
            "updateDiagram",
            "adminBasic",
            "test_update_diagram_answers_success_and_makes_a_version",
        ),
        (
            "DELETE",
            "I/diagrams/{diagramId}",
            "deleteDiagram",
            "adminBasic",
            "test_delete_diagram_takes_all_its_versions",
        ),
        (
            "GET",
            "I/diagrams/{diagramId}/{diagramVersion}",
            "getDiagramVersion",
            "",
            "test_get_diagram_version_gives_that_version_or_404",
        ),
        (
            "DELETE",
            "I/diagrams/{diagramId}/{diagramVersion}",
            "deleteDiagramVersion",
            "adminBasic",
            "test_delete_diagram_version_leaves_the_others",
        ),
        (
            "GET",
            "I/diagrams/{diagramId}/{diagramVersion}/upgraded",
            "getUpgradedDiagram",
            "adminBasic",
            "test_get_upgraded_diagram_shows_another_form_and_saves_nothing",
        ),
    ),
    "07_job_templates": (
        ("GET", "I/jobTemplates", "getJobTemplates", "", "test_get_job_templates_lists_them_shortly"),
        (
            "POST",
            "I/jobTemplates",
            "createJobTemplate",
            "adminBasic",
            "test_create_job_template_answers_with_its_id_and_no_success",
        ),
        (
            "GET",
            "I/jobTemplates/{jobTemplateId}/shareWith",
            "getJobTemplateShareDetails",
            "adminBasic",
            "test_get_job_template_share_details_of_a_new_one_are_empty",
        ),
        (
            "POST",
            "I/jobTemplates/{jobTemplateId}/shareWith",
            "shareJobTemplate",
            "adminBasic",
            "test_share_job_template_replaces_the_list",
        ),
        ("GET", "I/jobTemplates/{jobTemplateId}", "getJobTemplate", "", "test_get_job_template_gives_what_was_sent"),
        (
            "PUT",
            "I/jobTemplates/{jobTemplateId}",
            "updateJobTemplate",
            "adminBasic",
            "test_update_job_template_answers_success_and_leaves_what_is_null_or_missing",
        ),
        (
            "DELETE",
            "I/jobTemplates/{jobTemplateId}",
            "deleteJobTemplate",
            "adminBasic",
            "test_delete_job_template_answers_success_unless_it_has_jobs",
        ),
    ),
    "07_automation": (
        (
            "GET",
            "I/jobTemplates/{jobTemplateId}/automatedCreation",
            "getJobTemplateAutomations",
            "adminBasic",
            "test_automations_are_listed_with_name_type_and_author",
        ),
        (
            "POST",
            "I/jobTemplates/{jobTemplateId}/automatedCreation",
            "updateJobTemplateAutomations",
            "adminBasic",
            "test_adds_updates_and_deletes_are_one_edit",
        ),
        (
            "GET",
            "I/jobTemplates/{jobTemplateId}/automatedCreation/{automationId}",
            "getJobTemplateAutomationDetails",
            "adminBasic",
            "test_an_automation_is_read_with_its_details_as_text",
        ),
        (
            "POST",
            "I/jobTemplates/{jobTemplateId}/automatedCreation/{automationId}/executeWebhook",
            "executeAutomationWebHook",
            "",
            "test_a_webhook_makes_a_job_without_a_token",
        ),
    ),
    "12_webhook_connections": (
        (
            "GET",
            "I/webhookConnections",
            "getWebhookConnections",
            "adminBasic jobUpdateHolds",
            "test_get_webhook_connections_lists_them_without_secrets",
        ),
        (
            "POST",
            "I/webhookConnections",
            "createWebhookConnection",
            "adminBasic",
            "test_create_webhook_connection_answers_success_and_its_id",
        ),
        (
            "GET",
            "I/webhookConnections/{connectionId}",
            "getWebhookConnection",
            "adminBasic",
            "test_get_webhook_connection_tells_its_secret_to_who_may_design",
        ),
        (
            "PUT",
            "I/webhookConnections/{connectionId}",
            "updateWebhookConnection",
            "adminBasic",
            "test_update_webhook_connection_replaces_it_but_for_its_item",
        ),
        (
            "DELETE",
            "I/webhookConnections/{connectionId}",
            "deleteWebhookConnection",
            "adminBasic",
            "test_delete_webhook_connection_answers_success_once",
        ),
        (
            "GET",
            "I/webhookConnections/{connectionId}/executeWebhook",
            "answerWebhookChallenge",
            "",
            "test_answer_webhook_challenge_signs_the_token",
        ),
        (
            "POST",
            "I/webhookConnections/{connectionId}/executeWebhook",
            "receiveWebhook",
            "",
            "test_receive_webhook_takes_what_is_signed_with_the_secret",
        ),
    ),
    "08_lookups_settings_templates": (
        (
            "GET",
            "I/settings",
            "getSettings",
            "",
            "test_get_settings_lists_names_and_values_without_the_systems_when_told",
        ),
        ("POST", "I/settings", "updateSettings", "adminAdvanced", "test_update_settings_answers_success_and_merges"),
        ("GET", "I/lookups/{lookupType}", "getLookups", "", "test_get_lookups_lists_names_and_values"),
        (
            "PUT",
            "I/lookups/{lookupType}",
            "updateLookups",
            "adminBasic",
            "test_update_lookups_answers_success_and_replaces_the_table_or_makes_a_type",
        ),
        (
            "DELETE",
            "I/lookups/{lookupType}",
            "deleteLookups",
            "adminBasic",
            "test_delete_lookups_answers_success_but_not_for_a_type_of_the_system",
        ),
        ("GET", "I/templates/{templateType}", "getTemplates", "", "test_get_templates_lists_ids_and_names"),
        (
            "POST",
            "I/templates/{templateType}",
            "createTemplate",
            "adminBasic",
            "test_create_template_answers_with_its_id_and_no_success",
        ),
        (
            "GET",
            "I/templates/{templateType}/{templateId}",
            "getTemplate",
            "",
            "test_get_template_gives_the_details_as_the_text_they_are",
        ),
        (
            "PUT",
            "I/templates/{templateType}/{templateId}",
            "updateTemplate",
            "adminBasic",
            "test_update_template_answers_success",
        ),
        (
            "DELETE",
            "I/templates/{templateType}/{templateId}",
            "deleteTemplate",
            "adminBasic",
            "test_delete_template_answers_success",
        ),
    ),
    "09_community": (
        ("GET", "I/community/users", "getUsers", "", "test_get_users_lists_the_members_of_groups_with_a_role"),
        ("GET", "I/community/users/{username}", "getUser", "", "test_get_user_tells_groups_roles_and_privileges"),
        ("GET", "I/community/groups", "getGroups", "", "test_get_groups_lists_those_with_a_role"),
        ("GET", "I/community/groups/{groupId}", "getGroup", "", "test_get_group_tells_its_roles"),
        (
            "POST",
            "I/community/groups/{groupId}",
            "updateGroup",
            "adminAdvanced",
            "test_update_group_answers_success_and_adds_and_deletes_roles",
        ),
        ("GET", "I/community/roles", "getRoles", "", "test_get_roles_lists_names_and_privileges"),
        ("GET", "I/community/roles/{roleName}", "getRole", "", "test_get_role_gives_one_by_its_name_in_the_path"),
        (
            "POST",
            "I/community/roles/{roleName}",
            "updateRole",
            "adminAdvanced",
            "test_update_role_answers_success_and_makes_or_replaces_it",
        ),
        (
            "DELETE",
            "I/community/roles/{roleName}",
            "deleteRole",
            "adminAdvanced",
            "test_delete_role_says_whether_it_was_found",
        ),
    ),
    "10_searches": (
        (
            "GET",
            "I/searches",
            "getSavedSearches",
            "",
            "test_get_saved_searches_lists_the_standard_ones_unless_told_otherwise",
        ),
        (
            "POST",
            "I/searches",
            "createSavedSearch",
            "adminBasic",
            "test_create_saved_search_answers_with_its_id_and_no_success",
        ),
        (
            "PUT",
            "I/searches/{searchId}",
            "updateSavedSearch",
            "adminBasic",
            "test_update_saved_search_answers_success_and_replaces_it",
        ),
        (
            "DELETE",
            "I/searches/{searchId}",
            "deleteSavedSearch",
            "adminBasic",
            "test_delete_saved_search_answers_success_once",
        ),
        (
            "GET",
            "I/searches/{searchId}/shareWith",
            "getSavedSearchShareDetails",
            "adminBasic",
            "test_get_saved_search_share_details_lists_the_groups",
        ),
        (
            "POST",
            "I/searches/{searchId}/shareWith",
            "shareSavedSearch",
            "adminBasic",
            "test_share_saved_search_replaces_the_list_and_only_members_see_it",
        ),
    ),
    "11_table_definitions": (
        (
            "GET",
            "I/tableDefinitions",
            "getTableDefinitions",
            "adminBasic",
            "test_get_table_definitions_lists_tables_and_the_templates_that_have_them",
        ),
    ),
    "13_arcade_status_item": (
        ("POST", "I/evaluateArcade", "evaluateArcade", "", "test_evaluate_arcade_answers_with_the_result_as_text"),
        ("GET", "O/checkStatus", "checkStatus", "", "test_check_status_tells_the_licence_to_everybody"),
        ("GET", "O/healthCheck", "healthCheck", "", "test_health_check_needs_no_token"),
        ("GET", "I", "getItem", "", "test_get_item_tells_its_version"),
    ),
    "17_notifications": (
        (
            "WS",
            "I/notificationWs",
            "notifications",
            "",
            "test_notifications_begin_with_connected_and_a_job_state_for_each_subscription",
        ),
        (
            "POST",
            "I/jobs/{jobId}/steps/{stepId}/response",
            "answerStep",
            "",
            "test_answer_step_takes_an_answer_over_rest",
        ),
    ),
}
"""Those of an item, by the module that has their tests (``test_section_<name>.py``): method, path with ``I`` and ``O``,
operation, privileges and test."""

_ADMIN: Final = f"{ORG}/admin"
_ADMIN_TESTS: Final = "test_section_13_administration.py"
_BACKGROUND_TESTS: Final = "test_section_13_background.py"
_CONFIGURATION_TESTS: Final = "test_section_13_configuration.py"

_ADMINISTRATION: Final = (
    _row(
        "POST",
        f"{_ADMIN}/createWorkflowItem",
        "createWorkflowItem",
        "publisher",
        f"{_ADMIN_TESTS}::test_a_new_item_is_there_when_the_answer_comes",
    ),
    _row(
        "GET",
        f"{_ADMIN}/{{itemId}}/creationStatus",
        "getCreationStatus",
        "",
        f"{_ADMIN_TESTS}::test_the_status_is_told_to_who_has_to_do_with_the_item",
    ),
    _row(
        "POST",
        f"{_ADMIN}/{{itemId}}/upgrade",
        "upgradeItem",
        "adminAdvanced",
        f"{_ADMIN_TESTS}::test_the_owner_upgrades_with_admin_advanced",
    ),
    _row(
        "DELETE",
        f"{_ADMIN}/{{itemId}}",
        "deleteItem",
        "administrator",
        f"{_ADMIN_TESTS}::test_a_deleted_item_is_not_found_any_more",
    ),
    _row(
        "POST",
        f"{_ADMIN}/{{itemId}}/export",
        "exportConfiguration",
        "adminAdvanced",
        f"{_CONFIGURATION_TESTS}::test_an_export_is_a_file_to_save",
    ),
    _row(
        "POST",
        f"{_ADMIN}/{{itemId}}/exportAsync",
        "exportConfigurationAsync",
        "adminAdvanced",
        f"{_BACKGROUND_TESTS}::test_an_export_is_begun_told_and_fetched",
    ),
    _row(
        "GET",
        f"{_ADMIN}/{{itemId}}/exportAsync/{{exportId}}",
        "getExport",
        "adminAdvanced",
        f"{_BACKGROUND_TESTS}::test_an_export_is_begun_told_and_fetched",
    ),
    _row(
        "POST",
        f"{_ADMIN}/{{itemId}}/importAsync",
        "importConfigurationAsync",
        "adminAdvanced",
        f"{_BACKGROUND_TESTS}::test_an_import_is_begun_and_told",
    ),
    _row(
        "GET",
        f"{_ADMIN}/{{itemId}}/logs",
        "getLogs",
        "adminBasic",
        f"{_BACKGROUND_TESTS}::test_the_log_is_read_newest_first_in_pages_and_times",
    ),
    _row(
        "POST",
        f"{_ADMIN}/{{itemId}}/import",
        "importConfiguration",
        "adminAdvanced",
        f"{_CONFIGURATION_TESTS}::test_what_was_exported_and_imported_is_exported_the_same",
    ),
)
