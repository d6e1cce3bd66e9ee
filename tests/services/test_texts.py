"""Texts that an author may have written as expressions: computed for a job and whoever acts."""

import pytest

from app.domain.access import SYSTEM
from app.errors import StepFailed
from app.services.texts import Texts
from tests.domain.builders import job


def test_a_text_is_computed_where_it_is_an_expression_and_stays_as_it_is_elsewhere() -> None:
    texts = Texts(job(name="Kerbs"), "ann")
    assert texts.text("subject", "'About ' + JobName($job) + ' by ' + $currentUser") == "About Kerbs by ann"
    assert texts.text("subject", "About kerbs") == "About kerbs"


def test_the_server_itself_is_no_current_user() -> None:
    texts = Texts(job(), SYSTEM.username)
    assert texts.text("subject", "IIf(IsEmpty($currentUser), 'nobody', 'somebody')") == "nobody"


def test_an_address_encodes_the_values_of_the_job_and_nothing_else() -> None:
    texts = Texts(job(name="a/b?c=d"), "ann")
    assert texts.url("'https://gis.example/x?name=' + JobName($job)") == "https://gis.example/x?name=a%2Fb%3Fc%3Dd"


@pytest.mark.parametrize("source", ['{"a": 1}', " [1, 2]"])
def test_json_is_content_and_no_arcade(source: str) -> None:
    assert Texts(job(), "ann").content("body", source) == source


def test_what_cannot_be_computed_is_named() -> None:
    with pytest.raises(StepFailed, match="subject cannot be evaluated") as caught:
        Texts(job(), "ann").text("subject", "'Job ' + NoSuchThing($job)")
    assert caught.value.name == "EXPRESSION_FAILED"
