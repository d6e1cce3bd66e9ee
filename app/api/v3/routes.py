"""The routes of the two v3 dialects. The literal words stand before the segment that takes an id."""

from typing import Final

from starlette.routing import BaseRoute, Mount, Route

from app.api.v3 import jobs, print_jobs, tokens, workflows

_JOB: Final = "/v3/jobs/{v3_job_id}"
_WORKFLOW: Final = "/v3/workflows/{workflow_id}/jobs"

_ONE_JOB: Final = [
    Route(_JOB, jobs.read, methods=["GET"]),
    Route(_JOB, print_jobs.change, methods=["PATCH"]),
    Route(_JOB, jobs.cancel, methods=["DELETE"]),
    Route(f"{_JOB}/state", jobs.state, methods=["GET"]),
    Route(f"{_JOB}/messages", jobs.messages, methods=["GET"]),
    Route(f"{_JOB}/data", jobs.data, methods=["GET"]),
    Route(f"{_JOB}/output/{{output_id}}", jobs.output, methods=["GET"]),
    Route(f"{_JOB}/script", print_jobs.script, methods=["POST"]),
]
"""Either form of the id is taken on each of them."""

_PRINT: Final = [
    Route("/v3/jobs", print_jobs.change_many, methods=["PATCH"]),
    Route("/v3/jobs/delete", print_jobs.cancel_many, methods=["POST"]),
    Route("/v3/jobs/client", print_jobs.register, methods=["POST"]),
    Route("/v3/jobs/process", print_jobs.process, methods=["POST"]),
    Route("/v3/queues", print_jobs.queues, methods=["GET"]),
    Route("/v3/projects", print_jobs.projects, methods=["GET"]),
    Route("/v3/users", print_jobs.users, methods=["GET"]),
    Route("/v3/users/{user_id}/accounts", print_jobs.accounts, methods=["GET"]),
]

_ANALYTICS: Final = [
    Route("/v3/workflows", workflows.list_all, methods=["GET"]),
    Route(_WORKFLOW, workflows.jobs, methods=["GET"]),
    Route(_WORKFLOW, workflows.run, methods=["POST"]),
]

_JOBS: Final = Route("/v3/jobs", jobs.list_all, methods=["GET"])

V3_ROUTES: Final[list[BaseRoute]] = [
    Route("/api/auth/token", tokens.print_token, methods=["POST"]),
    Route("/webapi/oauth2/token", tokens.analytics_token, methods=["POST"]),
    Route("/webapi/v1/jobs/{v3_job_id}/output/{output_id}", jobs.output, methods=["GET"]),
    _JOBS,
    *_PRINT,
    *_ANALYTICS,
    *_ONE_JOB,
    Mount("/api", routes=[_JOBS, *_PRINT, *_ONE_JOB]),
    Mount("/webapi", routes=[_JOBS, *_ANALYTICS, *_ONE_JOB]),
]
"""Without a prefix, where the id or the path says which dialect is meant, and below the prefix of each dialect."""
