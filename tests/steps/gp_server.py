"""A geoprocessing service as its counterpart sees it: one task, whose jobs do what the test says."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.steps.counterparts import Counterpart, Received, Wire, json_answer

TASK = "/rest/services/Tools/GPServer/Buffer"


@dataclass
class ServiceJobs:
    """The task ``TASK`` of a counterpart. ``state`` is what every question for a job is answered."""

    site: Counterpart
    state: dict[str, Any] = field(default_factory=lambda: {"jobStatus": "esriJobExecuting"})
    results: dict[str, Any] = field(default_factory=dict)
    submitted: list[dict[str, str]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self.site.on(f"{TASK}/submitJob", self._submit)

    @property
    def url(self) -> str:
        return self.site.url + TASK

    def succeed(self, **results: Any) -> None:
        """From now on the job is done, with these results."""
        self.results = results
        urls = {name: {"paramUrl": f"results/{name}"} for name in results}
        self.state = {**self.state, "jobStatus": "esriJobSucceeded", "results": urls}

    def end(self, status: str, *messages: tuple[str, str]) -> None:
        """From now on the job has ended like this; ``messages`` are kind and text."""
        said = [{"type": f"esriJobMessageType{kind}", "description": text} for kind, text in messages]
        self.state = {"jobStatus": status, "messages": said}

    def say(self, *texts: str) -> None:
        """What the job's messages are from now on, all of them."""
        said = [{"type": "esriJobMessageTypeInformative", "description": text} for text in texts]
        self.state = {**self.state, "messages": said}

    async def _submit(self, received: Received, wire: Wire) -> None:
        job_id = f"j{len(self.submitted) + 1}"
        self.submitted.append(received.form)
        place = f"{TASK}/jobs/{job_id}"
        self.site.on(place, self._status)
        self.site.on(f"{place}/cancel", self._cancel)
        await wire.say(json_answer(json.dumps({"jobId": job_id, "jobStatus": "esriJobSubmitted"})))

    async def _status(self, received: Received, wire: Wire) -> None:
        self.asked += 1
        job_id = received.path.rpartition("/")[2]
        for name, value in self.results.items():
            result = {"paramName": name, "dataType": "GPString", "value": value}
            self.site.on(f"{received.path}/results/{name}", json_answer(json.dumps(result)))
        await wire.say(json_answer(json.dumps({"jobId": job_id, **self.state})))

    async def _cancel(self, received: Received, wire: Wire) -> None:
        job_id = received.path.split("/")[-2]
        self.cancelled.append(job_id)
        await wire.say(json_answer(json.dumps({"jobId": job_id, "jobStatus": "esriJobCancelling"})))
