"""The executors of this server, one for each kind of service step it does."""

from collections.abc import Sequence

from app.services.attachment_files import AttachmentFiles
from app.services.ports import DispatchSender, StepExecutor
from app.steps.create_job import CreateJob
from app.steps.email import EmailExecutor
from app.steps.email_dispatch import EmailSender
from app.steps.feature_services import RestFeatureServices
from app.steps.geoprocessing import Geoprocessing
from app.steps.http import HttpClient
from app.steps.limits import FairLimit
from app.steps.mailer import Mailer
from app.steps.update_properties import UpdateJobProperties
from app.steps.web_request import WebRequest
from app.steps.web_request_dispatch import WebRequestSender
from app.steps.webhook_look import WebhookLooker


def executors(http: HttpClient, mailer: Mailer, files: AttachmentFiles, hosts: FairLimit) -> Sequence[StepExecutor]:
    """Every executor, made new: bootstrap hands them to the runner.

    Args:
        hosts: so many e-mails, web requests and geoprocessing steps are at one host at once.
    """
    return [
        EmailExecutor(mailer, files, hosts),
        CreateJob(),
        UpdateJobProperties(),
        WebRequest(http, files, hosts),
        Geoprocessing(http, hosts),
    ]


def senders(http: HttpClient, mailer: Mailer, files: AttachmentFiles, hosts: FairLimit) -> Sequence[DispatchSender]:
    """Every sender of dispatches, as above; ``hosts`` counts steps and dispatches together."""
    return [
        EmailSender(mailer, files, hosts),
        WebRequestSender(http, hosts),
        WebhookLooker(RestFeatureServices(http, hosts)),
    ]
