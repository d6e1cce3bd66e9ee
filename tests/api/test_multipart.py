"""Forms of several parts, in pieces of every size, whole and broken."""

from collections.abc import AsyncIterator, Iterable
from urllib.parse import quote

import pytest

from app.api.multipart import MAX_FIELD_BYTES, MAX_PARTS, form_fields, read_parts
from app.errors import InvalidValue, QuotaExceeded

pytestmark = pytest.mark.anyio

TYPE = 'multipart/form-data; boundary="b~1"'
FORM = (
    b'--b~1\r\nContent-Disposition: form-data; name="alias"\r\n\r\nH\xc3\xa4user\r\n'
    b'--b~1\r\nContent-Disposition: form-data; name="attachment"; filename="a.bin"\r\n'
    b"Content-Type: image/png\r\n\r\n\r\n--b~\r\n--b~1x\0\xff\r\n"
    b'--b~1\r\ncontent-disposition: form-data; name="empty"\r\n\r\n\r\n--b~1--\r\n'
)
DATA = b"\r\n--b~\r\n--b~1x\0\xff"
"""Almost a boundary, several times."""


async def body_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def cut(form: bytes, size: int) -> list[bytes]:
    return [form[start : start + size] for start in range(0, len(form), size)]


async def parts(pieces: Iterable[bytes], content_type: str = TYPE) -> list[tuple[str, str | None, str | None, bytes]]:
    found = []
    async for part in read_parts(content_type, body_of(*pieces)):
        data = b"".join([chunk async for chunk in part.chunks])
        found.append((part.name, part.file_name, part.media_type, data))
    return found


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
async def test_the_parts_are_the_same_whatever_pieces_the_form_comes_in(size: int) -> None:
    assert await parts(cut(FORM, size)) == [
        ("alias", None, None, "Häuser".encode()),
        ("attachment", "a.bin", "image/png", DATA),
        ("empty", None, None, b""),
    ]


async def test_a_part_is_handed_on_before_the_next_piece_is_asked_for() -> None:
    """What would wait for the whole file would hold it in memory."""
    asked = []

    async def body() -> AsyncIterator[bytes]:
        for number, piece in enumerate(cut(FORM, 20)):
            asked.append(number)
            yield piece

    reading = read_parts(TYPE, body())
    assert await (await anext(reading)).text() == "Häuser"
    part = await anext(reading)
    first = await anext(part.chunks)
    assert first
    assert len(asked) < len(cut(FORM, 20)) - 3
    await reading.aclose()


async def test_a_part_that_nobody_reads_is_passed_over() -> None:
    assert [part.name async for part in read_parts(TYPE, body_of(*cut(FORM, 5)))] == ["alias", "attachment", "empty"]


@pytest.mark.parametrize("length", [*range(0, len(FORM) - 4, 3), len(FORM) - 4])
async def test_a_form_that_ends_early_is_never_taken_for_a_whole_one(length: int) -> None:
    """Not even where the end of the connection falls between two parts. Only the last two bytes may be missing."""
    with pytest.raises(InvalidValue, match="form was invalid"):
        await parts([FORM[:length]])


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("application/json", FORM),
        ("multipart/form-data", FORM),
        ("multipart/form-data; boundary=other", FORM),
        (f"multipart/form-data; boundary={'x' * 1000}", FORM),
        (TYPE, b"--b~1\r\n\r\nno headers\r\n--b~1--\r\n"),
        (TYPE, b"--b~1\r\nContent-Type: text/plain\r\n\r\nno name\r\n--b~1--\r\n"),
        (TYPE, b"--b~1\r\nContent-Disposition form-data\r\n\r\nno colon\r\n--b~1--\r\n"),
        (TYPE, b"--b~1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n\r\n--b~1--\r\n"),
    ],
)
async def test_what_is_no_form_is_refused(content_type: str, form: bytes) -> None:
    with pytest.raises(InvalidValue):
        await parts([form], content_type)


async def test_a_form_has_not_too_many_parts_and_a_field_not_too_much_text() -> None:
    part = b'--b~1\r\nContent-Disposition: form-data; name="x"\r\n\r\n%s\r\n'
    assert len(await parts([part % b"" * MAX_PARTS, b"--b~1--"])) == MAX_PARTS
    with pytest.raises(QuotaExceeded):
        await parts([part % b"" * (MAX_PARTS + 1), b"--b~1--"])
    reading = read_parts(TYPE, body_of(part % (b"x" * (MAX_FIELD_BYTES + 1)), b"--b~1--"))
    with pytest.raises(QuotaExceeded):
        await (await anext(reading)).text()
    reading = read_parts(TYPE, body_of(part % b"\xff", b"--b~1--"))
    with pytest.raises(InvalidValue, match="UTF-8"):
        await (await anext(reading)).text()


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ('filename="plan.pdf"', "plan.pdf"),
        ('filename="H\xc3\xa4user.pdf"', "Häuser.pdf"),
        ('filename="H\xe4user.pdf"', "Häuser.pdf"),
        ('filename="say \\"x\\".pdf"', 'say "x".pdf'),
        (f"filename*=utf-8''{quote('Häuser 家.pdf')}", "Häuser 家.pdf"),
        ('filename=""', ""),
    ],
)
async def test_a_files_name_is_read_as_browsers_and_libraries_write_it(parameter: str, name: str) -> None:
    head = f'--b~1\r\nContent-Disposition: form-data; name="attachment"; {parameter}\r\n\r\n'.encode("latin-1")
    ((_, found, _, data),) = await parts([head, b"x\r\n--b~1--"])
    assert (found, data) == (name, b"x")


def test_the_fields_of_a_plain_form_are_read() -> None:
    assert dict(form_fields(b"alias=H%C3%A4user+1&folder=&&x")) == {"alias": "Häuser 1", "folder": "", "x": ""}
    with pytest.raises(InvalidValue):
        list(form_fields(b"alias=%FF"))
