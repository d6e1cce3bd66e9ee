"""Attachments over REST, as browsers, scripts and the vendor's Python client ask for them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.domain.commands import ManageType
from app.services.ports import Item, Tx
from tests.api.conftest import ITEM, MAX_ATTACHMENT_BYTES, Api, error, ok

DATA = bytes(range(256)) * 10


@pytest.fixture
def job(api: Api, manual: str) -> str:
    return api.job(manual)


def upload(api: Api, job_id: str, *, name: str = "plan.pdf", data: bytes = DATA, **options: Any) -> Any:
    """The answer to an upload as the vendor's client does it: one part, and nothing beside it."""
    return api.call("POST", f"jobs/{job_id}/attachments", files={"attachment": (name, data)}, **options)


def attach(api: Api, job_id: str, **options: Any) -> str:
    """Attach a file that must be taken; returns its id."""
    return str(ok(upload(api, job_id, **options))["url"].rpartition("/")[2])


def listed(api: Api, job_id: str) -> list[dict[str, Any]]:
    return list(api.get(f"jobs/{job_id}/attachments")["attachments"])


def download(api: Api, job_id: str, attachment_id: str, method: str = "GET", **headers: str) -> Any:
    authorization = {"Authorization": f"Bearer {api.token()}"}
    path = f"{ITEM}/jobs/{job_id}/attachments/{attachment_id}?f=json"
    return api.client.request(method, path, headers=authorization | headers, follow_redirects=False)


def told(api: Api, job_id: str) -> list[dict[str, Any]]:
    """The bodies of the job's JobAttachmentUpdated so far."""

    def read(tx: Tx) -> list[bytes]:
        feed = tx.feed(tx.items()[0], job_id, 0)
        return [message.body for message in feed if message.msg_type == "JobAttachmentUpdated"]

    assert api.client.portal is not None
    return [json.loads(body)["message"] for body in api.client.portal.call(api.gateway.engine.store.read, read)]


def files(api: Api) -> set[Path]:
    """The files that are kept; those of earlier tests that are about to go, which the server does as well, are gone."""
    assert api.client.portal is not None
    api.client.portal.call(api.gateway.files.sweep)
    return {path for path in (api.gateway.settings.data_dir / "attachments").rglob("*") if path.is_file()}


# ---------------------------------------------------------------- files


def test_a_file_is_attached_listed_and_read_back(api: Api, job: str) -> None:
    added = ok(upload(api, job))
    assert added["alias"] == "plan.pdf"
    assert not {"success", "error"} & set(added)
    attachment_id = added["url"].rpartition("/")[2]
    assert added["url"] == f"http://testserver{ITEM}/jobs/{job}/attachments/{attachment_id}"
    (found,) = listed(api, job)
    assert found.pop("lastModified").endswith("Z")
    assert found == {
        "id": attachment_id,
        "alias": "plan.pdf",
        "folder": "General",
        "url": added["url"],
        "lastModifiedBy": "admin",
        "fileName": "plan.pdf",
        "mediaType": "application/pdf",
        "size": len(DATA),
        "sha256": hashlib.sha256(DATA).hexdigest(),
    }
    answer = download(api, job, attachment_id)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="plan.pdf"'
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["x-content-type-options"] == "nosniff"
    (message,) = told(api, job)
    assert (message["adds"][0]["id"], message["adds"][0]["alias"]) == (attachment_id, "plan.pdf")
    line = api.get(f"jobs/{job}/history")["jobHistory"][-1]
    assert (line["action"], line["username"], line["result"]) == ("Added", "admin", "plan.pdf")
    assert not {"attachments", "history", "comments"} & set(api.get(f"jobs/{job}"))


@pytest.mark.parametrize("size", [0, 1, MAX_ATTACHMENT_BYTES])
def test_a_file_of_any_size_up_to_the_limit_comes_back(api: Api, job: str, size: int) -> None:
    data = (DATA * (size // len(DATA) + 1))[:size]
    assert download(api, job, attach(api, job, data=data)).content == data


def test_a_file_above_the_limit_is_refused_with_a_status_that_is_read(api: Api, job: str) -> None:
    """Not 413: the vendor's client repeats that five times and throws the text away."""
    before = files(api)
    found = error(upload(api, job, data=b"x" * (MAX_ATTACHMENT_BYTES + 1)))
    assert str(MAX_ATTACHMENT_BYTES) in found["message"]
    huge = b"x" * (MAX_ATTACHMENT_BYTES + 2 * 1024 * 1024)
    assert "max_attachment_bytes" in error(upload(api, job, data=huge))["message"]
    assert (listed(api, job), told(api, job), files(api)) == ([], [], before)


def test_what_stands_beside_the_file_counts_before_and_after_it(api: Api, job: str) -> None:
    headers = {"Authorization": f"Bearer {api.token()}", "Content-Type": "multipart/form-data; boundary=x"}

    def part(name: str, text: str) -> str:
        return f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'

    file = '--x\r\nContent-Disposition: form-data; name="attachment"; filename="C:\\\\tmp\\\\ä.txt"\r\n\r\nhi\r\n'
    form = part("alias", "Häuser") + part("f", "json") + file + part("folder", "Roof") + part("stepId", "one")
    body = (form + "--x--\r\n").encode()
    ok(api.client.post(f"{ITEM}/jobs/{job}/attachments", content=body, headers=headers))
    (found,) = listed(api, job)
    assert (found["alias"], found["folder"], found["stepId"]) == ("Häuser", "Roof", "one")
    assert (found["fileName"], found["mediaType"]) == ("ä.txt", "text/plain")
    answer = download(api, job, found["id"])
    assert answer.headers["content-disposition"] == "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A4.txt"


@pytest.mark.parametrize("first", [True, False])
def test_a_token_in_the_form_counts_before_and_after_the_file(api: Api, worker: Api, job: str, first: bool) -> None:
    def parts(token: str) -> list[tuple[str, Any]]:
        both: list[tuple[str, Any]] = [("token", (None, token)), ("attachment", ("a.txt", b"hi"))]
        return both if first else both[::-1]

    path = f"{ITEM}/jobs/{job}/attachments"
    before = files(api)
    assert error(api.client.post(path, files=parts("nonsense")), 401)
    assert error(api.client.post(path, files=parts(worker.token())))["type"] == "PermissionDenied"
    assert (listed(api, job), files(api)) == ([], before)
    ok(api.client.post(path, files=parts(api.token())))
    (found,) = listed(api, job)
    assert found["lastModifiedBy"] == "admin"


def test_the_media_type_is_the_parts_own_if_it_is_one(api: Api, job: str) -> None:
    wanted = {"text/html": "text/html", "text/plain; charset=utf-8": "text/plain; charset=utf-8", "no type": "text/csv"}
    for sent, kept in wanted.items():
        added = ok(api.call("POST", f"jobs/{job}/attachments", files={"attachment": ("a.csv", b"x", sent)}))
        answer = download(api, job, added["url"].rpartition("/")[2])
        assert answer.headers["content-type"] == kept
        assert answer.headers["content-security-policy"].startswith("sandbox")


def test_an_address_begins_with_the_public_one_where_there_is_one(
    api: Api, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = api.gateway.settings
    monkeypatch.setattr(type(settings), "public_url", "https://jobs.test/stepgate/")
    assert ok(upload(api, job))["url"].startswith(f"https://jobs.test/stepgate{ITEM}/jobs/{job}/attachments/")


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ([("alias", (None, "no file"))], "no file"),
        ([("attachment", ("a", b"x")), ("attachment", ("b", b"x"))], "several"),
        ([("attachment", ("a", b"x")), ("alias", (None, "a\0b"))], "NUL"),
        ([("attachment", ("a", b"x")), ("alias", (None, "x" * 300))], "alias"),
        ([("attachment", ("a", b"x")), ("stepId", (None, "nowhere"))], "nowhere"),
    ],
)
def test_a_form_that_is_not_right_is_refused_and_leaves_nothing(
    api: Api, job: str, parts: list[tuple[str, Any]], fault: str
) -> None:
    before = files(api)
    assert fault in error(api.call("POST", f"jobs/{job}/attachments", files=parts))["message"]
    assert (listed(api, job), told(api, job), files(api)) == ([], [], before)


def test_a_body_that_is_no_form_is_refused(api: Api, job: str) -> None:
    assert "multipart/form-data" in error(api.call("POST", f"jobs/{job}/attachments", json={}))["message"]


# ---------------------------------------------------------------- ranges


def test_one_range_of_a_file_is_read(api: Api, job: str) -> None:
    attachment_id = attach(api, job)
    size = len(DATA)
    for asked, start, stop in [("0-0", 0, 1), ("5-", 5, size), ("-7", size - 7, size), ("10-99999", 10, size)]:
        answer = download(api, job, attachment_id, Range=f"bytes={asked}")
        assert (answer.status_code, answer.content) == (206, DATA[start:stop])
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert answer.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,4-5", "bytes=9-5", "bytes=-", "lines=1-2", "bytes=a-b", f"bytes={'0' * 5000}-", ""]
)
def test_a_range_that_is_none_or_several_gets_the_whole_file(api: Api, job: str, asked: str) -> None:
    answer = download(api, job, attach(api, job), Range=asked)
    assert (answer.status_code, answer.content) == (200, DATA)


@pytest.mark.parametrize("asked", [f"bytes={len(DATA)}-", "bytes=-0", "bytes=99999999999999999999999999-"])
def test_a_range_behind_the_end_is_told_the_size(api: Api, job: str, asked: str) -> None:
    answer = download(api, job, attach(api, job), Range=asked)
    assert error(answer, 416)["type"] == "RangeNotSatisfiable"
    assert answer.headers["content-range"] == f"bytes */{len(DATA)}"
    assert "content-disposition" not in answer.headers


def test_a_client_that_has_the_file_is_told_so(api: Api, job: str) -> None:
    attachment_id = attach(api, job)
    etag = download(api, job, attachment_id).headers["etag"]
    for tags in (etag, f'"other", W/{etag}', "*"):
        answer = download(api, job, attachment_id, **{"If-None-Match": tags})
        assert (answer.status_code, answer.content) == (304, b"")
    assert download(api, job, attachment_id, **{"If-None-Match": '"other"'}).status_code == 200
    both = {"Range": "bytes=0-1"}
    assert download(api, job, attachment_id, **both, **{"If-Range": etag}).status_code == 206
    assert download(api, job, attachment_id, **both, **{"If-Range": '"other"'}).status_code == 200


def test_the_head_of_a_file_is_told_without_it(api: Api, job: str) -> None:
    answer = download(api, job, attach(api, job), "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(DATA))


# ---------------------------------------------------------------- links


def test_links_are_attached_in_their_order(api: Api, job: str) -> None:
    links: list[dict[str, Any]] = [
        {"url": "https://files.test/ä", "alias": "Files", "folder": "Far"},
        {"url": r"\\server\plans\7", "alias": None},
        {"url": "GIS-1234", "f": "json"},
    ]
    added = api.post(f"jobs/{job}/attachmentslinked", {"attachments": links, "stepId": "one"})["attachments"]
    found = listed(api, job)
    assert [(each["alias"], each["attachmentId"]) for each in added] == [(each["alias"], each["id"]) for each in found]
    assert [each["url"] for each in found] == [each["url"] for each in links]
    assert [(each["alias"], each["folder"]) for each in found[:2]] == [
        ("Files", "Far"),
        (r"\\server\plans\7", "General"),
    ]
    assert {each["stepId"] for each in found} == {"one"}
    (message,) = told(api, job)
    assert [each["url"] for each in message["adds"]] == [each["url"] for each in links]


def test_a_browser_is_sent_to_a_web_address_and_a_program_gets_it_as_text(api: Api, job: str) -> None:
    """A client library would send its token header on to wherever it is redirected."""
    body = {"attachments": [{"url": "https://files.test/a?b=c", "alias": "Roof/plan"}, {"url": "javascript:alert(1)"}]}
    web, script = [each["attachmentId"] for each in api.post(f"jobs/{job}/attachmentslinked", body)["attachments"]]
    path = f"{ITEM}/jobs/{job}/attachments"
    answer = api.client.get(f"{path}/{web}?token={api.token()}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://files.test/a?b=c")
    assert answer.headers["referrer-policy"] == "no-referrer"
    answer = download(api, job, web)
    assert (answer.status_code, answer.text) == (200, "https://files.test/a?b=c")
    assert answer.headers["content-disposition"] == 'attachment; filename="plan.txt"'
    answer = api.client.get(f"{path}/{script}?token={api.token()}", follow_redirects=False)
    assert (answer.status_code, answer.text) == (200, "javascript:alert(1)")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "attachments"),
        ({"attachments": []}, "$.attachments"),
        ({"attachments": [{"alias": "x"}]}, "$.attachments[0]"),
        ({"attachments": [{"url": "https://files.test"}, {"url": " "}]}, "url"),
        ({"attachments": [{"url": "x" * 9_000}]}, "url"),
        ({"attachments": [{"url": "x"}], "stepId": "nowhere"}, "nowhere"),
    ],
)
def test_links_that_cannot_be_are_refused_all_of_them(api: Api, job: str, body: Any, fault: str) -> None:
    assert fault in api.refused(f"jobs/{job}/attachmentslinked", body)["message"]
    assert (listed(api, job), told(api, job)) == ([], [])


# ---------------------------------------------------------------- changing and deleting


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"alias": "Näw", "folder": None, "id": "x"}},
        {"data": {"alias": "Näw", "folder": ""}},
        {"files": {"alias": (None, "Näw"), "file": ("x", b"passed over")}},
    ],
)
def test_an_alias_is_changed_by_json_and_by_either_form(api: Api, job: str, body: dict[str, Any]) -> None:
    attachment_id, other = attach(api, job), attach(api, job, name="other.txt")
    path = f"jobs/{job}/attachments/{attachment_id}"
    assert ok(api.call("POST", path, **body)) == {"success": True}
    assert [(each["id"], each["alias"], each["folder"]) for each in listed(api, job)] == [
        (attachment_id, "Näw", "General"),
        (other, "other.txt", "General"),
    ]
    (update,) = told(api, job)[-1]["updates"]
    assert (update["id"], update["alias"]) == (attachment_id, "Näw")
    line = api.get(f"jobs/{job}/history")["jobHistory"][-1]
    assert (line["action"], line["result"]) == ("Updated", "Näw")
    count = len(told(api, job))
    assert ok(api.call("POST", path, **body)) == {"success": True}
    assert len(told(api, job)) == count, "the same name again is no news"
    assert download(api, job, attachment_id).headers["content-disposition"] == 'attachment; filename="plan.pdf"'


def test_a_form_that_changes_may_carry_the_token(api: Api, worker: Api, job: str) -> None:
    path = f"{ITEM}/jobs/{job}/attachments/{attach(api, job)}"
    ok(api.client.post(path, data={"folder": "Roof", "token": api.token()}))
    error(api.client.post(path, data={"folder": "Cellar"}), 401)
    error(api.client.post(path, data={"folder": "Cellar", "token": worker.token()}))
    assert listed(api, job)[0]["folder"] == "Roof"


@pytest.mark.parametrize("body", [{"json": {}}, {"json": {"alias": ""}}, {"data": {"x": "y"}}, {"json": {"alias": 7}}])
def test_a_change_of_nothing_or_to_nothing_is_refused(api: Api, job: str, body: dict[str, Any]) -> None:
    attachment_id = attach(api, job)
    assert "alias" in error(api.call("POST", f"jobs/{job}/attachments/{attachment_id}", **body))["message"]
    assert listed(api, job)[0]["alias"] == "plan.pdf"


def test_a_deleted_attachment_is_gone_and_cannot_be_deleted_twice(api: Api, job: str) -> None:
    before = files(api)
    attachment_id, other = attach(api, job), attach(api, job)
    assert len(files(api) - before) == 2
    path = f"jobs/{job}/attachments/{attachment_id}"
    assert ok(api.call("DELETE", path)) == {"success": True}
    assert error(api.call("DELETE", path))["type"] == "AttachmentNotFound"
    assert error(download(api, job, attachment_id), 404)["type"] == "AttachmentNotFound"
    assert [each["id"] for each in listed(api, job)] == [other]
    assert told(api, job)[-1]["deletes"] == [attachment_id]
    line = api.get(f"jobs/{job}/history")["jobHistory"][-1]
    assert (line["action"], line["result"]) == ("Deleted", "plan.pdf")
    assert len(files(api) - before) == 1


def test_with_the_job_its_files_go(api: Api, job: str) -> None:
    before = files(api)
    attach(api, job)
    assert api.post("jobs/manage", {"type": ManageType.DELETE, "jobIds": [job]})["success"]
    assert files(api) == before


# ---------------------------------------------------------------- steps that ask for attachments


def test_whoever_answers_a_step_sees_what_was_added_for_it(api: Api, templates: Callable[..., str]) -> None:
    args = {"folder": "Photos", "userPrompt": "Add photos", "acceptLinked": False, "acceptedFileTypes": ".jpg,.png"}
    action = {"actionType": "Attachment", "args": args}
    job_id = api.job(templates("Photos wanted", [{"id": "photos", "name": "Photos", "action": action, "paths": []}]))
    assert api.action(job_id, "Run")["success"]
    attach(api, job_id, name="elsewhere.txt")
    for name, refused in (("roof.PNG", None), ("roof.txt", ".jpg, .png")):
        form = {"files": {"attachment": (name, DATA)}, "data": {"stepId": "photos"}}
        answer = api.call("POST", f"jobs/{job_id}/attachments", **form)
        if refused:
            assert refused in error(answer)["message"]
        else:
            ok(answer)
    link = {"attachments": [{"url": "https://files.test"}], "stepId": "photos"}
    assert api.refused(f"jobs/{job_id}/attachmentslinked", link)["type"] == "AttachmentNotAccepted"
    wanted = [each for each in listed(api, job_id) if each.get("stepId") == "photos"]
    assert [(each["alias"], each["folder"]) for each in wanted] == [("roof.PNG", "Photos")]
    assert told(api, job_id)[-1]["adds"][0]["stepId"] == "photos"
    assert api.current(job_id) == ["photos"], "adding is not answering"
    ok(api.call("POST", f"jobs/{job_id}/steps/photos/response", json={"attachmentResponse": True}))
    assert api.current(job_id) == []
    assert [each["alias"] for each in listed(api, job_id)] == ["elsewhere.txt", "roof.PNG"]


# ---------------------------------------------------------------- who and where


def writes(api: Api, job_id: str, attachment_id: str) -> list[Any]:
    """The answers to every way of changing attachments."""
    path = f"jobs/{job_id}/attachments"
    return [
        upload(api, job_id),
        api.call("POST", f"{path}linked", json={"attachments": [{"url": "https://files.test"}]}),
        api.call("POST", f"{path}/{attachment_id}", json={"alias": "Other"}),
        api.call("DELETE", f"{path}/{attachment_id}"),
    ]


def test_without_the_privilege_one_reads_and_changes_nothing(api: Api, worker: Api, outsider: Api, job: str) -> None:
    attachment_id = attach(api, job)
    before = (listed(api, job), told(api, job), files(api))
    for answer in writes(worker, job, attachment_id):
        found = error(answer)
        assert found["type"] == "PermissionDenied"
        assert "jobUpdateAttachments" in found["message"]
    for answer in writes(outsider, job, attachment_id):
        error(answer, 403)
    assert (listed(api, job), told(api, job), files(api)) == before
    assert listed(worker, job) == before[0]
    assert download(worker, job, attachment_id).content == DATA
    error(download(outsider, job, attachment_id), 403)
    error(api.client.get(f"{ITEM}/jobs/{job}/attachments/{attachment_id}"), 401)


def test_the_attachments_of_a_closed_job_stay_as_they_are(api: Api, job: str) -> None:
    attachment_id = attach(api, job)
    api.post("jobs/manage", {"type": ManageType.CLOSE, "jobIds": [job]})
    before = (listed(api, job), told(api, job))
    for answer in writes(api, job, attachment_id):
        assert error(answer)["type"] == "JobClosed"
    assert (listed(api, job), told(api, job)) == before
    assert download(api, job, attachment_id).content == DATA


def test_a_job_or_attachment_that_is_not_there_is_not_found(api: Api, manual: str, job: str) -> None:
    attachment_id = attach(api, job)
    other = api.job(manual)
    for answer in writes(api, "nowhere", attachment_id):
        assert error(answer)["type"] == "JobNotFound"
    for answer in writes(api, other, attachment_id)[2:]:
        assert error(answer)["type"] == "AttachmentNotFound"
    error(download(api, other, attachment_id), 404)
    error(download(api, "nowhere", attachment_id), 404)
    assert error(api.call("GET", "jobs/nowhere/attachments"), 404)["type"] == "JobNotFound"
    assert [each["id"] for each in listed(api, job)] == [attachment_id]


def test_the_attachments_of_another_item_are_out_of_reach(api: Api, job: str) -> None:
    def second(tx: Tx) -> Item:
        return tx.item("workflow", "e" * 32) or tx.add_item("e" * 32, "workflow", "Second")

    attachment_id = attach(api, job)
    assert api.client.portal is not None
    api.client.portal.call(api.gateway.engine.store.run, second)
    path = f"/workflow/{'e' * 32}/jobs/{job}/attachments/{attachment_id}"
    error(api.client.get(path, headers={"Authorization": f"Bearer {api.token()}"}), 403)


def test_a_file_that_is_gone_from_its_folder_is_not_found(api: Api, job: str) -> None:
    before = files(api)
    attachment_id = attach(api, job)
    (file,) = files(api) - before
    file.unlink()
    assert error(download(api, job, attachment_id), 404)["type"] == "AttachmentNotFound"


def test_an_upload_has_an_end(api: Api, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.attachments.UPLOAD_MOST_S", 0.0)
    assert error(upload(api, job))["type"] == "UploadTooSlow"
    assert listed(api, job) == []
