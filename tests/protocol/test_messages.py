"""Every message of the websocket, against its example files in ``tests/wire``: decoded and encoded back."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.protocol import notifications, prompts
from app.protocol.notifications import Body, Connected, encode
from app.protocol.prompts import StepInfoRequired
from app.protocol.requests import Subscribe, Unsubscribe, decode_frame

WIRE = Path(__file__).parents[1] / "wire"
FROM_SERVER = sorted(path.stem for path in WIRE.glob("*.json") if not path.stem.startswith(("client.", "Connected")))
FROM_CLIENT = sorted(path.stem for path in WIRE.glob("client.*.json"))

FORMS: dict[str, type[StepInfoRequired]] = {
    "Question": prompts.QuestionInfo,
    "Manual": prompts.ManualInfo,
    "OpenApp": prompts.OpenAppInfo,
    "DefineLocation": prompts.DefineLocationInfo,
    "UpdateJobProperties": prompts.UpdatePropertiesInfo,
    "Attachment": prompts.AttachmentInfo,
    "AdvancedAssignment": prompts.AdvancedAssignmentInfo,
}
BASES = {"Body", "JobBody", "ItemBody", "StepsBody", "StepOutcomeBody"}
PARTS = {
    "JobStepState", "PropertyValue", "TableProperties", "UpdatedProperties", "Attachment", "JobComment",
    "ActiveStep", "DependencyDetails", "RelatedEntry", "RelatedTable",
    "WebhookCondition", "WebhookDependencyDetails",
}  # fmt: skip


def example(name: str) -> Any:
    return json.loads((WIRE / f"{name}.json").read_text())


def kind_of(name: str, envelope: dict[str, Any]) -> type[Body]:
    if envelope["msgType"] == "StepInfoRequired":
        return (
            StepInfoRequired
            if name.endswith(".short")
            else FORMS.get(envelope["message"]["stepType"], StepInfoRequired)
        )
    found: type[Body] = getattr(notifications, envelope["msgType"])
    return found


@pytest.mark.parametrize("name", FROM_SERVER)
def test_a_message_is_written_as_its_example_says(name: str) -> None:
    envelope = example(name)
    kind = kind_of(name, envelope)
    body = msgspec.convert(envelope["message"], kind) if name != "JobState" else _job_state(envelope["message"])
    raw = encode(body, timestamp_ms=envelope["timestamp"], seq=envelope.get("seq"))
    assert json.loads(raw) == envelope
    assert list(json.loads(raw)) == list(envelope), "the envelope's members keep their order"


def _job_state(message: dict[str, Any]) -> Body:
    """``messageDetails`` is ready JSON, so this one is decoded from text."""
    return msgspec.json.decode(json.dumps(message), type=notifications.JobState)


def test_the_first_frame_is_as_its_example_says() -> None:
    assert msgspec.to_builtins(Connected()) == example("Connected")


def test_every_message_has_an_example() -> None:
    kinds = {name for name, kind in vars(notifications).items() if isinstance(kind, type) and issubclass(kind, Body)}
    examples = {example(name)["msgType"] for name in FROM_SERVER}
    assert examples == kinds - BASES - PARTS | {"StepInfoRequired"}
    assert {example(name)["message"]["stepType"] for name in FROM_SERVER if name.startswith("StepInfoR")} >= set(FORMS)


def test_the_short_form_tells_that_a_step_asks_and_not_what() -> None:
    full = msgspec.convert(example("StepInfoRequired.Question")["message"], prompts.QuestionInfo)
    assert (
        json.loads(encode(full.shortened(), timestamp_ms=0))["message"] == example("StepInfoRequired.short")["message"]
    )


@pytest.mark.parametrize("name", FROM_CLIENT)
def test_a_clients_frame_is_understood_in_any_letter_case_and_extra_members_do_no_harm(name: str) -> None:
    frame = example(name)
    plain = decode_frame(json.dumps(frame).encode())
    frame["msgType"] = frame["msgType"].swapcase()
    frame["timestamp"] = 1
    frame["unknown"] = {"a": [1]}
    assert decode_frame(json.dumps(frame).encode()) == plain
    if isinstance(plain, Subscribe | Unsubscribe):
        assert msgspec.to_builtins(plain, str_keys=True)["requestId"] == frame.get("requestId")
    else:
        assert (plain.job_id, plain.step_id) == (frame["message"]["jobId"], frame["message"]["stepId"])
        assert decode_frame(json.dumps(frame["message"] | {"requestId": "r1"}).encode()) == plain, "bare"
