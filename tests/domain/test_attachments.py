"""Attachments: who may change them, what they are called, and what a step that asks for them takes."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain import events as e
from app.domain.attachments import (
    MAX_LINK_CHARS,
    MAX_NAME_CHARS,
    PRIVILEGE,
    NewAttachment,
    attach,
    change,
    detach,
    file_name,
    is_web_link,
)
from app.domain.job import Attachment, Content
from app.domain.outcomes import Decision
from app.errors import InvalidValue, PermissionDenied, RuleViolation
from tests.domain.builders import BEN, Play, person, step

CLERK = person("clerk", PRIVILEGE)
PHOTO = Content("b1", "Photo.JPG", "image/jpeg", 3, "00")
KEPT = Attachment("a1", "Photo", "General", "clerk", 1, content=PHOTO)
WANTED = {"folder": "Photos", "acceptedFileTypes": ".jpg, *.png", "acceptEmbedded": True, "acceptLinked": False}


def play(**args: Any) -> Play:
    """A job at an ordinary step ``work``; the step ``ask`` wants attachments."""
    return Play.created(step("work", to=["ask"]), step("ask", "Attachment", args=args))


def added(decision: Decision) -> tuple[Attachment, ...]:
    (recorded,) = decision.recorded
    assert isinstance(recorded.event, e.AttachmentsAdded)
    return recorded.event.attachments


def attached(new: NewAttachment, **args: Any) -> Attachment:
    """What becomes of one new attachment where the step ``ask`` has these arguments."""
    job = play(**args)
    (found,) = added(attach(job.job, job.diagram, [new], CLERK, job.moment))
    return found


def test_a_file_is_called_by_its_name_and_in_the_general_folder_unless_said_otherwise() -> None:
    plain = attached(NewAttachment(content=PHOTO))
    assert (plain.alias, plain.folder, plain.by, plain.content) == ("Photo.JPG", "General", "clerk", PHOTO)
    named = attached(NewAttachment(content=PHOTO, alias=" The roof ", folder="Roof", step_id="work"))
    assert (named.alias, named.folder, named.step_id) == ("The roof", "Roof", "work")
    assert attached(NewAttachment(content=PHOTO, folder="  ")).folder == "General"


def test_a_link_is_called_by_itself_unless_said_otherwise() -> None:
    assert attached(NewAttachment(link=" https://files.test/1 ")).alias == "https://files.test/1"
    assert len(attached(NewAttachment(link="x" * MAX_LINK_CHARS)).alias) == MAX_NAME_CHARS
    assert attached(NewAttachment(link=r"\\server\plans", alias="Plans")).link == r"\\server\plans"


def test_several_are_added_in_their_order_with_ids_of_their_own() -> None:
    job = play()
    links = [NewAttachment(link=f"https://files.test/{number}") for number in range(3)]
    found = added(attach(job.job, job.diagram, links, CLERK, job.moment))
    assert [each.link for each in found] == [each.link for each in links]
    assert len({each.attachment_id for each in found}) == 3


@pytest.mark.parametrize("text", ["", " ", "a\nb", "a\0b", "x" * (MAX_NAME_CHARS + 1)])
def test_a_name_or_link_that_cannot_be_is_refused(text: str) -> None:
    job = play()
    wrong = [NewAttachment(content=PHOTO, alias=text)]
    if text.strip():
        wrong.append(NewAttachment(content=PHOTO, folder=text))
    if len(text) <= MAX_NAME_CHARS:
        wrong.append(NewAttachment(link=text, alias="ok"))
    for new in wrong:
        with pytest.raises(InvalidValue):
            attach(job.job, job.diagram, [new], CLERK, job.moment)
    with pytest.raises(InvalidValue, match="alias"):
        change(job.job, job.diagram, KEPT, text, None, CLERK, job.moment)


def test_a_step_that_asks_for_attachments_gives_its_folder_to_those_that_name_it() -> None:
    found = attached(NewAttachment(content=PHOTO, step_id="ask"), **WANTED)
    assert (found.step_id, found.folder) == ("ask", "Photos")
    assert attached(NewAttachment(content=PHOTO, step_id="ask", folder="Mine"), **WANTED).folder == "Mine"
    assert attached(NewAttachment(content=PHOTO), **WANTED).folder == "General"
    assert attached(NewAttachment(content=PHOTO, step_id="work"), **WANTED).folder == "General"


@pytest.mark.parametrize(
    ("new", "args"),
    [
        (NewAttachment(link="https://files.test/1"), {"acceptLinked": False}),
        (NewAttachment(content=PHOTO), {"acceptEmbedded": False}),
        (NewAttachment(content=PHOTO), {"acceptedFileTypes": "pdf;.docx"}),
        (NewAttachment(content=replace(PHOTO, file_name="jpg")), {"acceptedFileTypes": ".jpg"}),
    ],
)
def test_what_a_step_does_not_take_is_refused_for_it_and_not_for_the_job(
    new: NewAttachment, args: dict[str, Any]
) -> None:
    job = play(**args)
    with pytest.raises(RuleViolation) as refused:
        attach(job.job, job.diagram, [replace(new, step_id="ask")], CLERK, job.moment)
    assert refused.value.name == "AttachmentNotAccepted"
    assert attach(job.job, job.diagram, [new], CLERK, job.moment).recorded


@pytest.mark.parametrize("wanted", [None, "", "*", ".*", "jpg", ".JPG", "*.jpg", ".pdf,.jpg", "pdf jpg", ["odd"]])
def test_a_file_of_a_type_that_the_step_takes_is_taken(wanted: object) -> None:
    assert attached(NewAttachment(content=PHOTO, step_id="ask"), acceptedFileTypes=wanted).step_id == "ask"


def test_a_step_that_is_not_in_the_diagram_is_refused() -> None:
    job = play()
    with pytest.raises(RuleViolation) as refused:
        attach(job.job, job.diagram, [NewAttachment(content=PHOTO, step_id="gone")], CLERK, job.moment)
    assert refused.value.name == "StepNotInDiagram"


def test_without_the_privilege_or_on_a_closed_job_nothing_can_be_changed() -> None:
    job = play()
    closed = replace(job.job, closed=True)
    for of, actor, error in ((job.job, BEN, PermissionDenied), (closed, CLERK, RuleViolation)):
        with pytest.raises(error):
            attach(of, job.diagram, [NewAttachment(content=PHOTO)], actor, job.moment)
        with pytest.raises(error):
            change(of, job.diagram, KEPT, "Other", None, actor, job.moment)
        with pytest.raises(error):
            detach(of, job.diagram, KEPT, actor, job.moment)


def test_an_attachment_gets_another_name_or_folder_and_tells_who_gave_it() -> None:
    job = play()
    (recorded,) = change(job.job, job.diagram, KEPT, "Roof", None, CLERK, job.moment).recorded
    assert recorded.event == e.AttachmentChanged(
        replace(KEPT, alias="Roof", by="clerk", at_ms=job.moment.now_ms), "clerk"
    )
    (recorded,) = change(job.job, job.diagram, KEPT, None, "Roofs", CLERK, job.moment).recorded
    assert isinstance(recorded.event, e.AttachmentChanged)
    assert (recorded.event.attachment.alias, recorded.event.attachment.folder) == ("Photo", "Roofs")


def test_the_same_name_again_changes_nothing_and_no_name_at_all_is_refused() -> None:
    job = play()
    assert change(job.job, job.diagram, KEPT, "Photo", "General", CLERK, job.moment).recorded == ()
    with pytest.raises(InvalidValue, match="alias"):
        change(job.job, job.diagram, KEPT, None, None, CLERK, job.moment)


@pytest.mark.parametrize(
    ("sent", "called"),
    [
        ("plan.pdf", "plan.pdf"),
        ("C:\\Users\\ana\\plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("/", "attachment"),
        ("..", "attachment"),
        ("dir/..", "attachment"),
        ("", "attachment"),
        (None, "attachment"),
        ("a\r\nSet-Cookie: x\0.txt", "aSet-Cookie: x.txt"),
        (" Häuser 家.txt ", "Häuser 家.txt"),
        ("x" * 300 + ".pdf", "x" * (MAX_NAME_CHARS - 4) + ".pdf"),
    ],
)
def test_of_a_files_name_only_the_last_part_counts(sent: str | None, called: str) -> None:
    assert file_name(sent) == called


@pytest.mark.parametrize(
    ("link", "is_web"),
    [
        ("https://files.test/1", True),
        ("HTTP://files.test", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("data:text/html,hi", False),
        ("//files.test/1", False),
        ("https:///nowhere", False),
        ("see https://files.test", False),
        (r"C:\plans\1.pdf", False),
    ],
)
def test_only_web_addresses_are_links_a_browser_is_sent_to(link: str, is_web: bool) -> None:
    assert is_web_link(link) is is_web
