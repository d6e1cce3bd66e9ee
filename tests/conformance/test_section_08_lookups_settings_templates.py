"""rest.md 8: lookups, settings and stored templates."""

import json
from typing import Any

import pytest

from tests.api.conftest import error
from tests.conformance.people import Person, fresh

EMAIL = {
    "to": ["ann@example.com"],
    "cc": [],
    "bcc": [],
    "subject": "s",
    "body": "b",
    "attachmentSelection": "None",
    "attachmentFolder": None,
}


def values(person: Person, lookup_type: str) -> dict[str, int]:
    return {each["lookupName"]: each["value"] for each in person.get(f"lookups/{lookup_type}")["lookups"]}


def settings(person: Person, query: str = "") -> dict[str, Any]:
    return {each["propName"]: each.get("value") for each in person.get(f"settings{query}")["settings"]}


def store(person: Person, **named: Any) -> dict[str, Any]:
    return dict(person.post("settings", {"settings": [{"propName": name, "value": named[name]} for name in named]}))


def template(person: Person, **members: Any) -> str:
    body = {"templateName": fresh("Mail"), "templateDetails": json.dumps(EMAIL)} | members
    return str(person.post("templates/email", body)["templateId"])


# ---------------------------------------------------------------- 8.1 lookups


def test_get_lookups_lists_names_and_values(viewer: Person) -> None:
    assert {"lookupName": "High", "value": 10} in viewer.get("lookups/priority")["lookups"]
    error(viewer.call("GET", "lookups/unknown"), 404)


def test_update_lookups_answers_success_and_replaces_the_table_or_makes_a_type(designer: Person) -> None:
    own = fresh("colours")
    for table in ({"red": 1, "blue": 2}, {"green": 3}):
        body = {"lookups": [{"lookupName": name, "value": value} for name, value in table.items()]}
        assert designer.put(f"lookups/{own}", body) == {"success": True}
        assert values(designer, own) == table


def test_delete_lookups_answers_success_but_not_for_a_type_of_the_system(designer: Person) -> None:
    own = fresh("colours")
    designer.put(f"lookups/{own}", {"lookups": [{"lookupName": "red", "value": 1}]})
    assert designer.delete(f"lookups/{own}") == {"success": True}
    error(designer.call("GET", f"lookups/{own}"), 404)
    for system in ("status", "priority", "percentComplete"):
        error(designer.call("DELETE", f"lookups/{system}"))
        assert values(designer, system)


@pytest.mark.parametrize("body", [{}, {"lookups": [{"lookupName": "a"}]}, {"lookups": [{"value": 1}]}], ids=str)
def test_a_wrong_table_is_refused_and_the_old_one_stays(admin: Person, body: dict[str, Any]) -> None:
    before = values(admin, "priority")
    error(admin.call("PUT", "lookups/priority", json=body))
    assert values(admin, "priority") == before


# ---------------------------------------------------------------- 8.2 settings


def test_get_settings_lists_names_and_values_without_the_systems_when_told(admin: Person) -> None:
    own = fresh("own")
    store(admin, **{own: "mine", "smtpServer": "mail.example.com"})
    for query in ("", "?includeSystemSettings=true", "?includeSystemSettings=True"):
        found = settings(admin, query)
        assert (found[own], found["smtpServer"]) == ("mine", "mail.example.com")
    for query in ("?includeSystemSettings=false", "?includeSystemSettings=False", "?includeSystemSettings=0"):
        found = settings(admin, query)
        assert found[own] == "mine"
        assert "smtpServer" not in found


def test_update_settings_answers_success_and_merges(admin: Person) -> None:
    first, second = fresh("own"), fresh("own")
    assert store(admin, **{first: "1"}) == {"success": True}
    store(admin, **{second: "2"})
    store(admin, **{first: "3"})
    found = settings(admin)
    assert (found[first], found[second]) == ("3", "2")


@pytest.mark.parametrize(
    "name", ["smtpDefaultSenderDisplayName", "smtpDefaultSenderEmail", "smtpUsername", "smtpServer"]
)
def test_each_system_setting_is_taken(admin: Person, name: str) -> None:
    store(admin, **{name: "someone@example.com"})
    assert settings(admin)[name] == "someone@example.com"
    assert name not in settings(admin, "?includeSystemSettings=false")


def test_port_and_protocol_of_mail_are_taken(admin: Person) -> None:
    store(admin, smtpPort="587", smtpProtocol="STARTTLS")
    assert settings(admin)["smtpPort"] == "587"


def test_the_password_of_mail_goes_in_and_never_comes_out(admin: Person) -> None:
    store(admin, smtpPassword="hush")
    answer = admin.call("GET", "settings")
    assert "hush" not in answer.text
    assert {"propName": "smtpPassword", "encrypted": True} in answer.json()["settings"]


def test_a_setting_without_a_name_is_refused_and_none_is_stored(admin: Person) -> None:
    before = settings(admin)
    for wrong in ({"value": "x"}, {"propName": None, "value": "x"}):
        admin.refused("settings", {"settings": [{"propName": fresh("own"), "value": "x"}, wrong]})
    assert settings(admin) == before


# ---------------------------------------------------------------- 8.3 templates


def test_get_templates_lists_ids_and_names(admin: Person) -> None:
    template_id = template(admin, templateName="Greeting")
    assert {"templateId": template_id, "templateName": "Greeting"} in admin.get("templates/email")["templates"]
    assert admin.get("templates/unused") == {"templates": []}


def test_create_template_answers_with_its_id_and_no_success(designer: Person) -> None:
    body = {"templateName": "n", "templateDetails": json.dumps(EMAIL), "templateId": fresh("own-mail")}
    assert designer.post("templates/email", body) == {"templateId": body["templateId"]}


def test_get_template_gives_the_details_as_the_text_they_are(admin: Person) -> None:
    details = json.dumps(EMAIL, indent=3)
    template_id = template(admin, templateName="Greeting", templateDetails=details)
    assert admin.get(f"templates/email/{template_id}") == {
        "templateId": template_id,
        "templateName": "Greeting",
        "templateDetails": details,
    }
    admin.not_found("templates/email/unknown")


def test_update_template_answers_success(admin: Person) -> None:
    template_id = template(admin)
    changed = {"templateId": template_id, "templateName": "Changed", "templateDetails": "{}"}
    assert admin.put(f"templates/email/{template_id}", changed) == {"success": True}
    assert admin.get(f"templates/email/{template_id}") == changed


def test_delete_template_answers_success(admin: Person) -> None:
    template_id = template(admin)
    assert admin.delete(f"templates/email/{template_id}") == {"success": True}
    admin.not_found(f"templates/email/{template_id}")
    error(admin.call("DELETE", f"templates/email/{template_id}"))


@pytest.mark.parametrize("kind", ["email", "webRequest", "a-word-of-ones-own"])
def test_a_template_has_a_type_of_any_word(admin: Person, kind: str) -> None:
    details = {"email": EMAIL, "webRequest": {"url": "https://example.com"}}.get(kind, {"any": "thing"})
    created = admin.post(f"templates/{kind}", {"templateName": "n", "templateDetails": json.dumps(details)})
    assert admin.get(f"templates/{kind}/{created['templateId']}")["templateDetails"] == json.dumps(details)
