"""The client's structs against the server's: one side encodes, the other decodes."""

from pathlib import Path

import msgspec
import pytest

from app.protocol import notifications as served
from app.protocol import prompts
from stepgate_client import messages
from stepgate_client.answers import AnswerBody
from stepgate_client.errors import ProtocolError

WIRE = Path(__file__).parents[1] / "wire"
TO_CLIENTS = [file for file in sorted(WIRE.glob("[A-Z]*.json")) if file.stem != "Connected"]
TO_THE_SERVER = sorted(WIRE.glob("client.StepInformation.*.json"))
SERVED = [
    kind
    for kind in vars(served).values()
    if isinstance(kind, type) and issubclass(kind, served.Body) and hasattr(messages, kind.__name__)
]
FORMS = [
    kind for kind in vars(prompts).values() if isinstance(kind, type) and issubclass(kind, prompts.StepInfoRequired)
]


def wire_names(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize("kind", SERVED, ids=lambda kind: kind.__name__)
def test_the_client_knows_every_member_the_server_sends(kind: type[served.Body]) -> None:
    mine: type[msgspec.Struct] = getattr(messages, kind.__name__)
    assert wire_names(kind) <= wire_names(mine)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_the_client_knows_every_member_of_every_question(form: type[prompts.StepInfoRequired]) -> None:
    assert wire_names(form) <= wire_names(messages.StepInfoRequired)


def test_the_client_has_a_type_for_each_message_of_a_job() -> None:
    bases = {"JobBody", "StepsBody", "StepOutcomeBody", "JobComment"}
    bodies = {
        name for name, kind in vars(served).items() if isinstance(kind, type) and issubclass(kind, served.JobBody)
    }
    assert bodies - bases <= set(vars(messages))


@pytest.mark.parametrize("file", TO_CLIENTS, ids=lambda file: file.stem)
def test_each_example_of_the_wire_is_read_as_its_type(file: Path) -> None:
    message = messages.decode(file.read_bytes())
    assert message.msg_type == file.stem.split(".")[0]
    assert not isinstance(message, messages.UnknownMessage)


@pytest.mark.parametrize("file", TO_THE_SERVER, ids=lambda file: file.stem)
def test_the_client_can_say_each_answer_of_the_wire(file: Path) -> None:
    frame = msgspec.json.decode(file.read_bytes())
    body = msgspec.convert(frame["message"], AnswerBody)
    assert msgspec.to_builtins(body) == frame["message"]


def test_letter_case_of_a_type_does_not_matter() -> None:
    frame = b'{"msgType":"STEPSTARTED","timestamp":5,"seq":2,"message":{"jobId":"J1","stepIds":["s1"]}}'
    message = messages.decode(frame)
    assert message == messages.StepStarted(timestamp=5, seq=2, job_id="J1", step_ids=["s1"])
    assert (message.frame, message.time.year) == (frame, 1970)


@pytest.mark.parametrize(
    "frame", [b"", b"[]", b'{"msgType":"StepStarted"}', b'{"msgType":"StepStarted","message":{}}', b"\xff"]
)
def test_what_is_no_message_is_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError, match="cannot be read"):
        messages.decode(frame)
