"""The JavaScript client in Chromium: a page works with it, and outlives its server."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.walker import ITEM, ORG
from tests.support import ServerProcess, deadline
from tests.support.browser import errors_of

ROOT = Path(__file__).parents[2]
KIOSK = (ROOT / "docs" / "gallery" / "kiosk.html").read_text()

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>One job</title>
<h1></h1><output id="phase"></output><div id="choices"></div><ol></ol><output id="verdict"></output>
<progress value="0"></progress>
<script type="module">
import {
  DiagramsManager, JobTemplatesManager, JobsManager, ManagerFactory, NotificationManager,
} from '/console/client/index.js';

const retry = { baseMs: 100, capMs: 500 };
const config = { serverUrl: location.origin, getToken: () => window.token, retry };
const manager = (kind) => ManagerFactory.getManager(kind, config);
const [diagrams, templates, jobs, notifications] = await Promise.all(
  [DiagramsManager, JobTemplatesManager, JobsManager, NotificationManager].map(manager),
);
const choice = (value, name) => ({ displayName: name, value, order: value });
const args = { question: 'Approve?', questionResponses: { Yes: choice(1, 'Yes'), No: choice(2, 'No') } };
const steps = [
  { id: 'ask', name: 'Approve?', action: { actionType: 'Question', args }, paths: [{ nextStep: 'visit' }] },
  { id: 'visit', name: 'Visit', canSkip: true, action: { actionType: 'Manual' }, paths: [] },
];
const name = `In a browser ${Date.now()}`;
const { diagramId } = await diagrams.createDiagram({ diagramName: name, displayGrid: true, active: true, steps });
const template = { jobTemplateName: name, diagramId, diagramName: name, state: 'Active', defaultPriorityName: 'Low' };
const assignment = { defaultAssignedType: 'User', defaultAssignedTo: 'JobCreator($job)' };
const { jobIds } = await jobs.createJobs(await templates.createJobTemplate({ ...template, ...assignment }));
const jobId = jobIds[0];

const show = (selector, text) => (document.querySelector(selector).textContent = text);
notifications.onStateChange(({ phase }) => show('#phase', phase));
notifications.subscribeToJob(jobId, (message) => {
  const line = document.createElement('li');
  line.textContent = `${message.seq ?? 'state'} ${message.msgType}`;
  document.querySelector('ol').append(line);
  if (message.msgType === 'StepInfoRequired') offer(message.message);
});
show('h1', jobId);
await jobs.startSteps(jobId);

function offer({ stepId, questionResponses }) {
  for (const { name, value } of questionResponses) {
    const button = document.createElement('button');
    button.textContent = name;
    const answer = { jobId, stepId, questionResponse: value };
    button.onclick = async () => show('#verdict', (await notifications.send(answer)).stage);
    document.querySelector('#choices').append(button);
  }
}

window.finish = () => jobs.finishSteps(jobId);
window.comment = (text) => jobs.addJobComment(jobId, text);
window.attach = (bytes) => {
  const bar = document.querySelector('progress');
  const onProgress = (sent, total) => Object.assign(bar, { max: total, value: sent });
  return jobs.addAttachment({ jobId, attachment: new File([new Uint8Array(bytes)], 'big.bin') }, { onProgress });
};
window.attachAborted = async () => {
  const stop = new AbortController();
  const attachment = new Blob([new Uint8Array(5_000_000)]);
  const sending = jobs.addAttachment({ jobId, attachment }, { signal: stop.signal, onProgress: () => stop.abort() });
  return sending.then(() => 'attached', (error) => error.name);
};
window.attachments = () => jobs.getAttachments(jobId);
</script>"""


@pytest.fixture
def blank(server: ServerProcess, page: Page) -> Page:
    """A page of the server's, to put another one into: Chromium lets no page from elsewhere talk to this machine."""
    page.goto(f"{server.url}/healthz#token={server.token()}")
    return page


@pytest.fixture
def job_page(server: ServerProcess, blank: Page) -> Page:
    """The page of one job, which it has made itself."""
    errors = errors_of(blank)
    blank.evaluate(f"window.token = {server.token()!r}")
    blank.set_content(PAGE)
    try:
        expect(blank.locator("h1")).not_to_be_empty(timeout=deadline(2) * 1000)
    except AssertionError as error:
        raise AssertionError(f"the page does not come up: {errors}") from error
    return blank


def lines(page: Page) -> list[str]:
    return page.locator("li").all_inner_texts()


def until_line(page: Page, pattern: str, number: int = 1) -> None:
    """Wait for the ``number``-th line of this kind."""
    expect(page.locator("li", has_text=re.compile(pattern)).nth(number - 1)).to_be_visible(timeout=deadline(2) * 1000)


def test_a_page_subscribes_runs_answers_and_finishes_and_outlives_its_server(
    server: ServerProcess, job_page: Page
) -> None:
    errors = errors_of(job_page)
    until_line(job_page, "StepInfoRequired")
    expect(job_page.get_by_role("button")).to_have_text(["Yes", "No"])
    job_page.get_by_role("button", name="Yes").click()
    expect(job_page.locator("#verdict")).to_have_text("applied", timeout=deadline(1) * 1000)
    until_line(job_page, "StepFinished")
    assert errors == []

    server.kill9()
    expect(job_page.locator("#phase")).not_to_have_text("open", timeout=deadline(1) * 1000)
    server.start()
    expect(job_page.locator("#phase")).to_have_text("open", timeout=deadline(2) * 1000)
    job_page.evaluate("comment('after the restart')")
    until_line(job_page, "JobCommentUpdated")
    job_page.evaluate("finish()")
    until_line(job_page, "StepFinished", number=2)
    numbered = [line.split()[0] for line in lines(job_page)]
    seqs = [int(number) for number in numbered if number != "state"]
    assert numbered.count("state") == 2
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert sum("StepInfoRequired" in line for line in lines(job_page)) == 1


def test_a_page_shows_how_far_an_upload_is_and_can_call_it_off(job_page: Page) -> None:
    until_line(job_page, "StepInfoRequired")
    added = job_page.evaluate("attach(3_000_000)")
    bar = job_page.locator("progress")
    assert added["alias"] == "big.bin"
    assert bar.evaluate("bar => bar.value === bar.max && bar.max > 3_000_000")
    slow_uploads(job_page)
    assert job_page.evaluate("attachAborted()") == "AbortError"
    assert [each["fileName"] for each in job_page.evaluate("attachments()")] == ["big.bin"]


def test_the_kiosk_of_the_gallery_shows_where_jobs_are_and_whom_they_need(server: ServerProcess, blank: Page) -> None:
    errors = errors_of(blank)
    job_id = call(server, "jobTemplates/Q5-nYVlCTBOZ4ShEdDsglA/job", {"jobName": "Kiosk job"})["jobIds"][0]
    blank.set_content(KIOSK)
    row = blank.get_by_role("row", name="Kiosk job")
    expect(row).to_contain_text("Welcome", timeout=deadline(2) * 1000)
    call(server, f"jobs/{job_id}/action", {"type": "Hold"})
    expect(row).to_have_class("held")
    call(server, f"jobs/{job_id}/action", {"type": "ReleaseHold"})
    expect(row).to_have_class("")
    call(server, f"jobs/{job_id}/action", {"type": "Run"})
    expect(row).to_have_class("asks")
    assert errors == []


def slow_uploads(page: Page) -> None:
    """Let the page send a megabyte a second: what is sent at once cannot be called off."""
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000_000}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", speed)


def call(server: ServerProcess, path: str, body: dict[str, Any]) -> Any:
    """POST to the first item as admin; the answer's JSON."""
    headers = {"Authorization": f"Bearer {server.token()}"}
    answer = httpx2.post(f"{server.url}/{ORG}/{ITEM}/{path}", json=body, headers=headers, timeout=deadline(1))
    assert answer.status_code == httpx2.codes.OK, answer.text
    return answer.json()
