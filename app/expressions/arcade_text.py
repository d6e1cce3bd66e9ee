"""Arcade functions of text. None makes text that is longer than text may be, nor much work before it notices."""

import base64
import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final
from urllib.parse import quote

from app.expressions.arcade_date_text import date_text
from app.expressions.arcade_functions import Functions, Given
from app.expressions.arcade_values import (
    MAX_TEXT_BYTES,
    Dictionary,
    Value,
    check_count,
    text_of,
    within_size,
)

FUNCTIONS: Final = Functions()

_NUMBER_FORMAT: Final = re.compile(r"([^#0,.%]*)([#0,]+)(?:\.([#0]{0,15}))?(%?)([^#0,.%]*)")
_MAX_FORMAT: Final = 50
_EXACT: Final = Context(prec=60)
_THOUSANDS: Final = re.compile(r"(?<=[0-9])(?=(?:[0-9]{3})+$)")


@FUNCTIONS.add("Text", "value", "format", means="As text; a number or a date in a format, see below", optional=1)
def _text(given: Given) -> Value:
    value = given[0]
    if len(given) == 1 or value is None:
        return text_of(value, given.position)
    if isinstance(value, datetime):
        return date_text(value, given.text(1), given.position)
    return _number_text(given, given.number(0), given.text(1))


def _number_text(given: Given, number: float, pattern: str) -> str:
    match = _NUMBER_FORMAT.fullmatch(pattern)
    if match is None or len(pattern) > _MAX_FORMAT:
        given.fail(f"{pattern[:40]!r} is no format of a number; for instance '#,##0.00' or '0%'")
    before, digits, fraction, percent, after = match.groups("")
    if abs(number) >= 1e21:
        given.fail(f"{given.name} formats numbers below 1e21")
    exact = Decimal(repr(number)) * (100 if percent else 1)
    rounded = abs(exact.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP, _EXACT))
    whole, _, part = format(rounded, "f").partition(".")
    whole = whole.lstrip("0").rjust(digits.count("0"), "0")
    grouped = _THOUSANDS.sub(",", whole) if "," in digits else whole
    kept = len(part.rstrip("0"))
    part = part[: max(kept, fraction.count("0"))]
    sign = "-" if exact < 0 and rounded else ""
    return f"{before}{sign}{grouped}{'.' if part else ''}{part}{percent}{after}"


@FUNCTIONS.add(
    "Concatenate", "value", means="The texts of these values, or of an array's items with a separator", repeats=1
)
def _concatenate(given: Given) -> Value:
    first = given[0]
    if isinstance(first, tuple):
        if len(given) > 2:
            given.fail("Concatenate takes an array and a separator, or values")
        return _joined(given, first, given.text(1))
    return _joined(given, tuple(given), "")


def _joined(given: Given, values: tuple[Value, ...], separator: str) -> str:
    parts = [text_of(value, given.position) for value in values]
    if sum(map(len, parts)) + len(separator) * len(parts) > MAX_TEXT_BYTES + len(separator):
        given.fail(f"the text is longer than {MAX_TEXT_BYTES} bytes")
    return within_size(separator.join(parts), "the text", given.position)


@FUNCTIONS.add(
    "Find", "searched", "text", "start", means="Where a text begins in another, from 0; -1 if nowhere", optional=1
)
def _find(given: Given) -> Value:
    return given.text(1).find(given.text(0), max(given.whole(2), 0))


@FUNCTIONS.add("Left", "text", "count", means="The first characters")
def _left(given: Given) -> Value:
    return given.text(0)[: max(given.whole(1), 0)]


@FUNCTIONS.add("Right", "text", "count", means="The last characters")
def _right(given: Given) -> Value:
    count = max(given.whole(1), 0)
    return given.text(0)[-count:] if count else ""


@FUNCTIONS.add("Mid", "text", "start", "count", means="Characters from a place on, counted from 0", optional=1)
def _mid(given: Given) -> Value:
    text, start = given.text(0), max(given.whole(1), 0)
    return text[start : start + max(given.whole(2, len(text)), 0)]


@FUNCTIONS.add("Lower", "text", means="In lower case")
def _lower(given: Given) -> Value:
    return within_size(given.text(0).lower(), "the text", given.position)


@FUNCTIONS.add("Upper", "text", means="In upper case")
def _upper(given: Given) -> Value:
    return within_size(given.text(0).upper(), "the text", given.position)


@FUNCTIONS.add("Proper", "text", means="The first letter of each word in upper case, the others in lower")
def _proper(given: Given) -> Value:
    words = re.sub(r"\S+", lambda word: word[0][:1].upper() + word[0][1:].lower(), given.text(0))
    return within_size(words, "the text", given.position)


@FUNCTIONS.add("Trim", "text", means="Without blanks at both ends")
def _trim(given: Given) -> Value:
    return given.text(0).strip()


@FUNCTIONS.add(
    "Replace",
    "text",
    "searched",
    "replacement",
    "all",
    means="With a text replaced everywhere, or only once",
    optional=1,
)
def _replace(given: Given) -> Value:
    text, searched, replacement = given.text(0), given.text(1), given.text(2)
    if not searched:
        return text
    count = text.count(searched) if len(given) < 4 or given.flag(3) else min(text.count(searched), 1)
    if len(text) + count * (len(replacement) - len(searched)) > MAX_TEXT_BYTES:
        given.fail(f"the text is longer than {MAX_TEXT_BYTES} bytes")
    return within_size(text.replace(searched, replacement, count), "the text", given.position)


@FUNCTIONS.add(
    "Split", "text", "separator", "limit", means="An array of the parts, at most so many (-1: all)", optional=1
)
def _split(given: Given) -> Value:
    text, separator, limit = given.text(0), given.text(1), given.whole(2, -1)
    parts = list(text[: limit if limit >= 0 else None]) if not separator else None
    if parts is None:
        check_count(text.count(separator) + 1, "the array", given.position)
        parts = text.split(separator)
    check_count(len(parts), "the array", given.position)
    return tuple(parts[:limit] if limit >= 0 else parts)


@FUNCTIONS.add("Count", "value", means="The number of characters, items or keys")
def _count(given: Given) -> Value:
    value = given[0]
    if isinstance(value, tuple):
        return len(value)
    return len(value.entries) if isinstance(value, Dictionary) else len(given.text(0))


@FUNCTIONS.add("ToHex", "number", means="A whole number in hexadecimal digits")
def _to_hex(given: Given) -> Value:
    number = given.whole(0)
    return format(number, "x") if number >= 0 else given.fail("ToHex needs a number that is not negative")


@FUNCTIONS.add("ToCharCode", "text", "index", means="The code point of a character, counted from 0", optional=1)
def _to_char_code(given: Given) -> Value:
    text, index = given.text(0), given.whole(1)
    return ord(text[index]) if 0 <= index < len(text) else given.fail(f"the text has no character {index}")


@FUNCTIONS.add("FromCharCode", "code", means="The characters of these code points", repeats=1)
def _from_char_code(given: Given) -> Value:
    codes = [given.whole(index) for index in range(len(given))]
    if not all(0 < code < 0xD800 or 0xE000 <= code < 0x110000 for code in codes):
        given.fail("FromCharCode takes the code points of characters")
    return "".join(map(chr, codes))


@FUNCTIONS.add("UrlEncode", "value", means="Encoded for an address; a dictionary as `key=value&...`")
def _url_encode(given: Given) -> Value:
    value = given[0]
    if isinstance(value, Dictionary):
        pairs = [f"{quote(key, '')}={quote(text_of(item, given.position), '')}" for key, item in value.entries.items()]
        return within_size("&".join(pairs), "the text", given.position)
    return within_size(quote(given.text(0), ""), "the text", given.position)


@FUNCTIONS.add(
    "Guid",
    "format",
    means="A new id, as `digits`, `digits-hyphen`, `digits-hyphen-braces` or `digits-hyphen-parentheses`",
    optional=1,
)
def _guid(given: Given) -> Value:
    forms = {"digits": "", "digits-hyphen": "--", "digits-hyphen-braces": "{}", "digits-hyphen-parentheses": "()"}
    form = given.text(0, "digits-hyphen-braces")
    if form not in forms:
        given.fail(f"Guid takes {', '.join(forms)}; got {form[:40]!r}")
    digits = base64.urlsafe_b64decode(given.scope.facts.new_id() + "==").hex()
    hyphened = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    if form == "digits":
        return digits
    return hyphened if form == "digits-hyphen" else forms[form][0] + hyphened + forms[form][1]
