"""rest.md 11: the tables of extended properties of an item."""

from tests.api.conftest import error
from tests.conformance.people import Person, fresh


def test_get_table_definitions_lists_tables_and_the_templates_that_have_them(admin: Person, viewer: Person) -> None:
    name = fresh("listed").replace("-", "_")
    definition = {
        "propertyName": "apn",
        "propertyAlias": "APN",
        "propertyOrder": 0,
        "dataType": "String",
        "required": False,
        "editable": True,
        "visible": True,
    }
    table = {
        "tableName": name,
        "tableAlias": "Listed",
        "tableOrder": 0,
        "relationshipType": "OneToMany",
        "extendedPropertyDefinitions": [definition],
    }
    template = admin.made([{"id": "one"}], extendedPropertyTableDefinitions=[table])
    (found,) = [each for each in admin.get("tableDefinitions")["tableDefinitions"] if each["tableName"] == name]
    assert (found["tableAlias"], found["relationshipType"]) == ("Listed", "OneToMany")
    assert found["jobTemplates"] == [template]
    (told,) = found["extendedPropertyDefinitions"]
    assert {name: value for name, value in told.items() if value is not None} == definition
    error(viewer.call("GET", "tableDefinitions"), 403)
