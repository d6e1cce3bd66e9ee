"""rest.md 16: what a new item holds."""

import pytest

from tests.conformance.people import Person

LOOKUPS = {
    "status": {
        "Created": 1,
        "Ready": 2,
        "In Progress": 3,
        "Incomplete": 4,
        "Revised": 5,
        "Pending": 6,
        "On Hold": 7,
        "Approved": 8,
        "Completed": 9,
        "Closed": 10,
    },
    "priority": {"Low": 0, "Medium": 5, "High": 10},
    "percentComplete": {"X-Small": 1, "Small": 2, "Medium": 3, "Large": 5, "X-Large": 8, "XX-Large": 13},
}
COLUMNS = ["assignedTo", "jobName", "dueDate", "jobTemplateName", "currentStep", "priority", "jobStatus"]
SEARCHES = {
    "rrUF60TFQCe2K0vtgSsYpA": ("My Jobs", 1000),
    "OnjS_8SoR6-iLE3oMCN44A": ("My Group Jobs", 2000),
    "L46soUSzRD62LqwFvp5pVQ": ("All Jobs", 3000),
}
CHARTS = {
    "KPHh4-l1SaKRkO8eZLoeEA": ("Job Type Chart", "job_template_name", 2000),
    "m1nOdfkvQAmPL4s3sUuvkw": ("Job Status Chart", "job_status", 2000),
    "syvlYUxjSkCtER2UdNqkOw": ("Job Priority Chart", "priority", 3000),
}


@pytest.mark.parametrize("lookup_type", LOOKUPS)
def test_lookups(viewer: Person, lookup_type: str) -> None:
    found = viewer.get(f"lookups/{lookup_type}")["lookups"]
    assert {each["lookupName"]: each["value"] for each in found} == LOOKUPS[lookup_type]


def test_searches_with_their_columns_and_order(viewer: Person) -> None:
    found = {each["searchId"]: each for each in viewer.get("searches")["searches"]}
    assert {key: (found[key]["name"], found[key]["sortIndex"]) for key in SEARCHES} == SEARCHES
    for key in SEARCHES:
        definition = found[key]["definition"]
        assert definition["fields"] == COLUMNS
        assert definition["sortFields"] == [{"field": name, "sortOrder": "Asc"} for name in ("jobName", "priority")]
        viewer.post("jobs/search", definition)


def test_charts_with_their_field(viewer: Person) -> None:
    found = {each["searchId"]: each for each in viewer.get("searches?searchType=Chart")["searches"]}
    for key, (name, field, sort_index) in CHARTS.items():
        chart = found[key]
        assert (chart["name"], chart["sortIndex"], chart["colorRamp"]) == (name, sort_index, "Default")
        assert field in str(chart["definition"])


def test_two_diagrams_and_two_templates_among_them_the_introduction(viewer: Person) -> None:
    assert len(viewer.get("diagrams")["diagrams"]) >= 2
    assert len(viewer.get("jobTemplates")["jobTemplates"]) >= 2
    diagram = viewer.get("diagrams/99o2QTePTqq-BHRHK_Aeag")
    assert (diagram["diagramName"], diagram["diagramVersion"]) == ("Introduction to Workflow Manager", 1)
    assert len(diagram["steps"]) == 14
    assert diagram["initialStepId"] == "df4c8d20-5c99-457f-0be1-21fa8f830760"
    assert diagram["initialStepName"] == "Welcome"
    template = viewer.get("jobTemplates/Q5-nYVlCTBOZ4ShEdDsglA")
    assert (template["jobTemplateName"], template["state"]) == ("Introduction to Workflow Manager", "Active")
    assert (template["defaultAssignedTo"], template["defaultJobDuration"]) == ("JobCreator($job)", 1)
    assert (template["defaultStatus"], template["defaultFinalStatus"]) == ("Ready", "Closed")
    assert template["defaultPriorityName"] == "Low"
