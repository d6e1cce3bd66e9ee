"""Tables of extended properties as the authors of job templates define them."""

from typing import Any

from tests.conformance.people import fresh


def property_of(name: str, data_type: str = "String", **members: Any) -> dict[str, Any]:
    """An extended property that need not have a value."""
    return {
        "propertyName": name,
        "propertyAlias": name.title(),
        "propertyOrder": 0,
        "dataType": data_type,
        "required": False,
        "editable": True,
        "visible": True,
    } | members


def table(name: str, *properties: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A one-to-one table; of one text ``apn`` unless other properties are given."""
    return {
        "tableName": name,
        "tableAlias": name.title(),
        "tableOrder": 0,
        "relationshipType": "OneToOne",
        "extendedPropertyDefinitions": list(properties or (property_of("apn"),)),
    } | members


def table_name(word: str) -> str:
    """A name that no test has used yet."""
    return fresh(word).replace("-", "_")
