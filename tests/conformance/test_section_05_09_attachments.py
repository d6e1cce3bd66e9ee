"""rest.md 5.9: files and links of a job."""

from typing import Any

import pytest

from tests.api.conftest import MAX_ATTACHMENT_BYTES, error, ok
from tests.conformance.people import Person


@pytest.fixture
def job(admin: Person, two_steps: str) -> str:
    return admin.job(two_steps)


def upload(person: Person, job_id: str, data: bytes = b"bytes", name: str = "photo.jpg", **fields: str) -> Any:
    return person.call("POST", f"jobs/{job_id}/attachments", files={"attachment": (name, data)}, data=fields)


def attached(person: Person, job_id: str, **options: Any) -> str:
    """The id of a new file."""
    return str(ok(upload(person, job_id, **options))["url"].rpartition("/")[2])


def linked(person: Person, job_id: str, url: str = "https://example.com/a") -> str:
    """The id of a new link."""
    body = {"attachments": [{"url": url}]}
    return str(person.post(f"jobs/{job_id}/attachmentslinked", body)["attachments"][0]["attachmentId"])


def listed(person: Person, job_id: str) -> list[dict[str, Any]]:
    return list(person.get(f"jobs/{job_id}/attachments")["attachments"])


def test_add_attachment_answers_with_an_address_that_ends_with_the_id(admin: Person, job: str) -> None:
    answer = ok(upload(admin, job))
    assert set(answer) == {"alias", "url"}
    assert answer["alias"] == "photo.jpg"
    attachment_id = answer["url"].rpartition("/")[2]
    assert "?" not in attachment_id
    assert [each["id"] for each in listed(admin, job)] == [attachment_id]


def test_add_linked_attachments_answers_in_the_order_of_the_request(admin: Person, job: str) -> None:
    body = {"attachments": [{"url": "https://example.com/b", "alias": "b"}, {"url": "C:\\a.doc"}, {"url": "id-7"}]}
    answer = admin.post(f"jobs/{job}/attachmentslinked", body)
    assert [each["alias"] for each in answer["attachments"]] == ["b", "C:\\a.doc", "id-7"]
    assert [each["attachmentId"] for each in answer["attachments"]] == [each["id"] for each in listed(admin, job)]


def test_get_attachments_lists_them_in_the_order_they_were_added(admin: Person, job: str) -> None:
    ids = [linked(admin, job), attached(admin, job), linked(admin, job, "id-8")]
    found = listed(admin, job)
    assert [each["id"] for each in found] == ids
    for each in found:
        assert {"id", "alias", "folder", "url", "lastModifiedBy", "lastModified"} <= set(each)
    assert [each["url"] for each in found][::2] == ["https://example.com/a", "id-8"]


def test_get_attachment_gives_the_bytes_their_type_and_their_name(admin: Person, job: str) -> None:
    attachment_id = attached(admin, job, data=b"\xff\xd8 picture", name="photo.jpg")
    answer = admin.call("GET", f"jobs/{job}/attachments/{attachment_id}")
    assert (answer.status_code, answer.content) == (200, b"\xff\xd8 picture")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"] == 'attachment; filename="photo.jpg"'


def test_update_attachment_takes_json_and_either_form(admin: Person, job: str) -> None:
    attachment_id = attached(admin, job)
    path = f"jobs/{job}/attachments/{attachment_id}"
    for alias, body in (
        ("json", {"json": {"alias": "json"}}),
        ("form", {"data": {"alias": "form"}}),
        ("multipart", {"files": {"alias": (None, "multipart")}}),
    ):
        assert ok(admin.call("POST", path, **body)) == {"success": True}
        assert [(each["alias"], each["folder"]) for each in listed(admin, job)] == [(alias, "General")]
    admin.post(path, {"folder": "Plans"})
    assert [(each["alias"], each["folder"]) for each in listed(admin, job)] == [("multipart", "Plans")]


def test_delete_attachment_answers_success_once(admin: Person, job: str) -> None:
    path = f"jobs/{job}/attachments/{attached(admin, job)}"
    assert admin.delete(path) == {"success": True}
    assert listed(admin, job) == []
    assert error(admin.call("DELETE", path))["type"] == "AttachmentNotFound"
    admin.not_found(path)


def test_alias_folder_and_step_may_stand_beside_the_file(admin: Person, job: str) -> None:
    ok(upload(admin, job, alias="Front", folder="Photos", stepId="one"))
    (found,) = listed(admin, job)
    assert (found["alias"], found["folder"], found["stepId"]) == ("Front", "Photos", "one")


def test_an_address_opens_in_a_browser_with_the_token_appended(admin: Person, job: str) -> None:
    path = f"jobs/{job}/attachments/{attached(admin, job)}?token={admin.token()}"
    assert admin.call("GET", path, headers={}).content == b"bytes"
    web = f"jobs/{job}/attachments/{linked(admin, job)}?token={admin.token()}"
    answer = admin.call("GET", web, headers={}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://example.com/a")


def test_a_form_may_carry_the_token(admin: Person, job: str) -> None:
    path, files = f"jobs/{job}/attachments", {"attachment": ("a.txt", b"a")}
    ok(admin.call("POST", path, headers={}, files=files, data={"token": admin.token()}))
    error(admin.call("POST", path, headers={}, files=files, data={"token": "nonsense"}), 401)
    assert len(listed(admin, job)) == 1


def test_a_file_above_the_limit_is_refused_and_not_kept(admin: Person, job: str) -> None:
    error(upload(admin, job, data=b"x" * (MAX_ATTACHMENT_BYTES + 1)))
    assert listed(admin, job) == []


@pytest.mark.parametrize("body", [{}, {"attachments": []}, {"attachments": [{"alias": "no url"}]}], ids=str)
def test_links_need_a_url(admin: Person, job: str, body: dict[str, Any]) -> None:
    admin.refused(f"jobs/{job}/attachmentslinked", body)


def test_each_change_is_told_and_in_the_history_with_its_name(admin: Person, job: str) -> None:
    with admin.watch(job) as watcher:
        path = f"jobs/{job}/attachments/{attached(admin, job, name='plan.pdf')}"
        admin.post(path, {"alias": "Plan"})
        admin.delete(path)
        for _ in range(3):
            told = watcher.next()
            assert (told["msgType"], told["message"]["jobId"]) == ("JobAttachmentUpdated", job)
    lines = admin.get(f"jobs/{job}/history")["jobHistory"][-3:]
    assert [line["action"] for line in lines] == ["Added", "Updated", "Deleted"]
    for line, name in zip(lines, ("plan.pdf", "Plan", "Plan"), strict=True):
        assert name in line["result"]
