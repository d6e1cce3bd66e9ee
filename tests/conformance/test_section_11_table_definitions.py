"""rest.md 11: the tables of extended properties of an item."""

from tests.api.conftest import error
from tests.conformance.people import Person
from tests.conformance.tables import property_of, table, table_name


def test_get_table_definitions_lists_tables_and_the_templates_that_have_them(admin: Person, viewer: Person) -> None:
    name, definition = table_name("listed"), property_of("apn")
    listed = table(name, definition, tableAlias="Listed", relationshipType="OneToMany")
    template = admin.made([{"id": "one"}], extendedPropertyTableDefinitions=[listed])
    (found,) = [each for each in admin.get("tableDefinitions")["tableDefinitions"] if each["tableName"] == name]
    assert (found["tableAlias"], found["relationshipType"]) == ("Listed", "OneToMany")
    assert found["jobTemplates"] == [template]
    (told,) = found["extendedPropertyDefinitions"]
    assert {name: value for name, value in told.items() if value is not None} == definition
    error(viewer.call("GET", "tableDefinitions"), 403)
