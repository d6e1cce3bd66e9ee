"""The whole route table at a glance. Order matters: the fixed segments stand before the ones that take anything."""

from typing import Final

from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from app.api import (
    administration,
    answers,
    attachments,
    automations,
    community,
    configurations,
    diagrams,
    docs_page,
    expressions,
    health,
    item_settings,
    items,
    job_templates,
    jobs,
    locations,
    lookups,
    saved_searches,
    search,
    stored_templates,
    updates,
    webhook_connections,
    webhook_events,
    webhooks,
)
from app.api.portal import logins as portal_logins
from app.api.portal import oauth
from app.api.portal import resources as portal
from app.api.v3.routes import V3_ROUTES
from app.api.websocket import notifications

_ORG: Final = "/{org_id}"
_ITEM: Final = "/{org_id}/{item_id}"
_JOB: Final = f"{_ITEM}/jobs/{{job_id}}"
_ATTACHMENT: Final = f"{_JOB}/attachments/{{attachment_id}}"
_DIAGRAM: Final = f"{_ITEM}/diagrams/{{diagram_id}}"
_TEMPLATE: Final = f"{_ITEM}/jobTemplates/{{template_id}}"
_AUTOMATIONS: Final = f"{_TEMPLATE}/automatedCreation"
_LOOKUPS: Final = f"{_ITEM}/lookups/{{lookup_type}}"
_STORED: Final = f"{_ITEM}/templates/{{template_type}}"
_PEOPLE: Final = f"{_ITEM}/community"
_SEARCH: Final = f"{_ITEM}/searches/{{search_id}}"
_ADMIN: Final = "/{org_id}/admin"
_ADMIN_ITEM: Final = f"{_ADMIN}/{{item_id}}"
_CONNECTION: Final = f"{_ITEM}/webhookConnections/{{connection_id}}"
_SHARING: Final = "/sharing"

_PORTAL: Final = [
    Route("/rest", portal.version, methods=["GET"]),
    Route("/rest/info", portal.info, methods=["GET"]),
    Route("/rest/portals/self", portal.portal_self, methods=["GET"]),
    Route("/rest/portals/{portal_id}/servers", portal.servers, methods=["GET"]),
    Route("/rest/community/self", portal.own_user, methods=["GET"]),
    Route("/rest/community/users/{username}", portal.user, methods=["GET"]),
    Route("/rest/community/groups/{group_id}", portal.group, methods=["GET"]),
    Route("/rest/content/items/{content_id}", portal.item, methods=["GET", "POST"]),
    Route("/rest/generateToken", portal_logins.generate_token, methods=["POST"]),
    Route("/rest/oauth2/authorize", oauth.authorize, methods=["GET"]),
    Route("/oauth2/signin", oauth.sign_in, methods=["POST"]),
]
"""What clients ask between their login and the workflow server, below ``/sharing``."""

routes: Final[list[BaseRoute]] = [
    Route(f"{_JOB}/action", jobs.act, methods=["POST"]),
    WebSocketRoute(f"{_ITEM}/notificationWs", notifications),
    # jobs
    Route(f"{_ITEM}/jobs/manage", jobs.manage, methods=["POST"]),
    Route(f"{_ITEM}/jobs/search", search.jobs, methods=["POST"]),
    Route(f"{_ITEM}/jobs/statistics", search.statistics, methods=["POST"]),
    Route(_JOB, jobs.read, methods=["GET"]),
    Route(f"{_JOB}/update", updates.update, methods=["POST"]),
    Route(f"{_JOB}/allowedActions", jobs.allowed_actions, methods=["GET"]),
    Route(f"{_JOB}/diagram", jobs.diagram, methods=["GET"]),
    Route(f"{_JOB}/history", jobs.history, methods=["GET"]),
    Route(f"{_JOB}/comments", jobs.comments, methods=["GET"]),
    Route(f"{_JOB}/comments", jobs.add_comment, methods=["POST"]),
    Route(f"{_JOB}/attachments", attachments.list_all, methods=["GET"]),
    Route(f"{_JOB}/attachments", attachments.add, methods=["POST"]),
    Route(f"{_JOB}/attachmentslinked", attachments.link, methods=["POST"]),
    Route(_ATTACHMENT, attachments.content, methods=["GET"]),
    Route(_ATTACHMENT, attachments.change, methods=["POST"]),
    Route(_ATTACHMENT, attachments.delete, methods=["DELETE"]),
    Route(f"{_JOB}/location", locations.read, methods=["GET"]),
    Route(f"{_JOB}/location", locations.write, methods=["PUT"]),
    Route(f"{_JOB}/steps/{{step_id}}/response", answers.respond, methods=["POST"]),
    Route(f"{_JOB}/{{step_id}}", jobs.assign, methods=["POST"]),
    # the portal, at the root and below one segment; before all that takes any word in place of ``sharing``
    *(Route(_SHARING + route.path, route.endpoint, methods=list(route.methods or ())) for route in _PORTAL),
    Mount(f"/{{context}}{_SHARING}", routes=_PORTAL),
    # the v3 dialects; likewise before what takes any word in place of ``v3``
    *V3_ROUTES,
    # workflow items as wholes; before all that takes any word in place of ``admin``
    Route(f"{_ADMIN}/createWorkflowItem", administration.create, methods=["POST"]),
    Route(f"{_ADMIN_ITEM}/creationStatus", administration.creation_status, methods=["GET"]),
    Route(f"{_ADMIN_ITEM}/upgrade", administration.upgrade, methods=["POST"]),
    Route(_ADMIN_ITEM, administration.delete, methods=["DELETE"]),
    Route(f"{_ADMIN_ITEM}/export", configurations.export, methods=["POST"]),
    Route(f"{_ADMIN_ITEM}/exportAsync", configurations.export_later, methods=["POST"]),
    Route(f"{_ADMIN_ITEM}/exportAsync/{{export_id}}", configurations.exported, methods=["GET"]),
    Route(f"{_ADMIN_ITEM}/import", configurations.import_now, methods=["POST"]),
    Route(f"{_ADMIN_ITEM}/importAsync", configurations.import_later, methods=["POST"]),
    Route(f"{_ADMIN_ITEM}/logs", administration.logs, methods=["GET"]),
    # diagrams
    Route(f"{_ITEM}/diagrams", diagrams.list_all, methods=["GET"]),
    Route(f"{_ITEM}/diagrams", diagrams.create, methods=["POST"]),
    Route(f"{_ITEM}/checkDiagram", diagrams.check, methods=["POST"]),
    Route(_DIAGRAM, diagrams.read, methods=["GET"]),
    Route(_DIAGRAM, diagrams.update, methods=["POST"]),
    Route(_DIAGRAM, diagrams.delete, methods=["DELETE"]),
    Route(f"{_DIAGRAM}/{{version}}", diagrams.read, methods=["GET"]),
    Route(f"{_DIAGRAM}/{{version}}", diagrams.delete_version, methods=["DELETE"]),
    Route(f"{_DIAGRAM}/{{version}}/upgraded", diagrams.upgraded, methods=["GET"]),
    # job templates
    Route(f"{_ITEM}/jobTemplates", job_templates.list_all, methods=["GET"]),
    Route(f"{_ITEM}/jobTemplates", job_templates.create, methods=["POST"]),
    Route(f"{_TEMPLATE}/job", jobs.create, methods=["POST"]),
    Route(f"{_TEMPLATE}/shareWith", job_templates.shared_with, methods=["GET"]),
    Route(f"{_TEMPLATE}/shareWith", job_templates.share, methods=["POST"]),
    Route(_AUTOMATIONS, automations.list_all, methods=["GET"]),
    Route(_AUTOMATIONS, automations.edit, methods=["POST"]),
    Route(f"{_AUTOMATIONS}/{{automation_id}}", automations.read, methods=["GET"]),
    Route(f"{_AUTOMATIONS}/{{automation_id}}/executeWebhook", webhooks.execute, methods=["POST"]),
    Route(_TEMPLATE, job_templates.read, methods=["GET"]),
    Route(_TEMPLATE, job_templates.change, methods=["PUT"]),
    Route(_TEMPLATE, job_templates.delete, methods=["DELETE"]),
    Route(f"{_ITEM}/tableDefinitions", job_templates.table_definitions, methods=["GET"]),
    # expressions
    Route(f"{_ITEM}/evaluateArcade", expressions.evaluate, methods=["POST"]),
    # what is set up in the item
    Route(f"{_ITEM}/settings", item_settings.read, methods=["GET"]),
    Route(f"{_ITEM}/settings", item_settings.update, methods=["POST"]),
    Route(_LOOKUPS, lookups.read, methods=["GET"]),
    Route(_LOOKUPS, lookups.replace, methods=["PUT"]),
    Route(_LOOKUPS, lookups.delete, methods=["DELETE"]),
    Route(_STORED, stored_templates.list_all, methods=["GET"]),
    Route(_STORED, stored_templates.create, methods=["POST"]),
    Route(f"{_STORED}/{{stored_template_id}}", stored_templates.read, methods=["GET"]),
    Route(f"{_STORED}/{{stored_template_id}}", stored_templates.update, methods=["PUT"]),
    Route(f"{_STORED}/{{stored_template_id}}", stored_templates.delete, methods=["DELETE"]),
    # saved searches
    Route(f"{_ITEM}/searches", saved_searches.list_all, methods=["GET"]),
    Route(f"{_ITEM}/searches", saved_searches.create, methods=["POST"]),
    Route(_SEARCH, saved_searches.change, methods=["PUT"]),
    Route(_SEARCH, saved_searches.delete, methods=["DELETE"]),
    Route(f"{_SEARCH}/shareWith", saved_searches.shared_with, methods=["GET"]),
    Route(f"{_SEARCH}/shareWith", saved_searches.share, methods=["POST"]),
    # webhook connections
    Route(f"{_ITEM}/webhookConnections", webhook_connections.list_all, methods=["GET"]),
    Route(f"{_ITEM}/webhookConnections", webhook_connections.create, methods=["POST"]),
    Route(_CONNECTION, webhook_connections.read, methods=["GET"]),
    Route(_CONNECTION, webhook_connections.change, methods=["PUT"]),
    Route(_CONNECTION, webhook_connections.delete, methods=["DELETE"]),
    Route(f"{_CONNECTION}/executeWebhook", webhook_events.challenge, methods=["GET"]),
    Route(f"{_CONNECTION}/executeWebhook", webhook_events.receive, methods=["POST"]),
    # people
    Route(f"{_PEOPLE}/users", community.users, methods=["GET"]),
    Route(f"{_PEOPLE}/users/{{username}}", community.user, methods=["GET"]),
    Route(f"{_PEOPLE}/groups", community.groups, methods=["GET"]),
    Route(f"{_PEOPLE}/groups/{{group_id}}", community.group, methods=["GET"]),
    Route(f"{_PEOPLE}/groups/{{group_id}}", community.update_group, methods=["POST"]),
    Route(f"{_PEOPLE}/roles", community.list_roles, methods=["GET"]),
    Route(f"{_PEOPLE}/roles/{{role_name}}", community.role, methods=["GET"]),
    Route(f"{_PEOPLE}/roles/{{role_name}}", community.put_role, methods=["POST"]),
    Route(f"{_PEOPLE}/roles/{{role_name}}", community.delete_role, methods=["DELETE"]),
    # the server
    Route("/healthz", health.healthz, methods=["GET"]),
    Route("/readyz", health.readyz, methods=["GET"]),
    Route("/nodes", health.nodes, methods=["GET"]),
    Route("/metrics", health.metrics, methods=["GET"]),
    Route("/openapi.json", docs_page.openapi, methods=["GET"]),
    Route("/asyncapi.json", docs_page.asyncapi, methods=["GET"]),
    Route("/docs", docs_page.page, methods=["GET"]),
    Route(f"{_ORG}/checkStatus", items.check_status, methods=["GET"]),
    Route(f"{_ORG}/healthCheck", items.health_check, methods=["GET"]),
    Route(_ITEM, items.read, methods=["GET"]),
]
"""What the server answers to. ``POST jobs/{jobId}/action`` comes first: it is the one that is asked most."""
