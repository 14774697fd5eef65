"""Probable personal data in a text: found by form and check digits, shown only masked.

Mail addresses by pattern; phone numbers by libphonenumber; payment cards by issuer digits and Luhn; US social security
numbers, IBANs and Chinese resident numbers by python-stdnum. A number without a check digit is taken only in the
grouping in which people write it: order numbers and amounts are not phone numbers.
"""

import functools
import re

KINDS = {
    "mail": "mail addresses",
    "phone": "phone numbers",
    "card": "payment card numbers",
    "us_ssn": "US social security numbers",
    "iban": "IBANs",
    "cn_id": "Chinese resident identity numbers",
}
REGIONS = ("US", "GB", "DE", "CN")  # whose national phone numbers are known, besides +… of all the world
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?![\w-])")
_CN_ID = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_IBAN = re.compile(r"(?<![0-9A-Za-z])[A-Z]{2}\d{2}(?: ?[0-9A-Z]){11,30}(?![0-9A-Za-z])")
_CARD = re.compile(r"(?<![\d.,-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\d-])")
_CN_MOBILE = re.compile(r"(?<![\d+.,-])1[3-9]\d{9}(?![\d.,-]\d|\d)")
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|\()?\d[\d() .\-/]{6,20}\d(?![\w/-])")
_MANY_DIGITS = re.compile(r"\d(?:[^\w\n]{0,2}\d){6}|[A-Z]{2}\d{2}")


def find(text):
    """[(kind, start, end)] in the order of the text; no two overlap, the surer kind wins."""
    if text.isascii() and text.isalpha():
        return []
    found = []
    if "@" in text:
        found += [("mail", *match.span()) for match in _MAIL.finditer(text)]
    if _MANY_DIGITS.search(text):
        for kind, pattern, valid in _numbers():
            for match in pattern.finditer(text):
                if not any(start < match.end() and match.start() < end for _, start, end in found):
                    found += [(kind, *match.span())] if valid(match[0]) else []
    return sorted(found, key=lambda span: span[1])


def mask(text):
    """The text with all but a hint of each find replaced by dots: `j•••@•••.org`, `•••42`."""
    parts, done = [], 0
    for kind, start, end in find(text):
        parts += [text[done:start], masked(kind, text[start:end])]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


def masked(kind, value):
    """What may be shown of one find."""
    return f"{value[0]}•••@•••.{value.rpartition('.')[2]}" if kind == "mail" else f"•••{value[-2:]}"


@functools.cache
def _numbers():
    # (kind, pattern, check of a match), the surest first; stdnum and phonenumbers load only where digits are met
    from stdnum import iban, luhn
    from stdnum.cn import ric
    from stdnum.us import ssn

    def card(value):
        digits = re.sub(r"[ -]", "", value)
        return len(digits) <= 19 and luhn.is_valid(digits) and len(set(digits)) > 1

    return (
        ("cn_id", _CN_ID, ric.is_valid),
        ("us_ssn", _SSN, ssn.is_valid),
        ("iban", _IBAN, iban.is_valid),
        ("card", _CARD, card),
        ("phone", _CN_MOBILE, lambda value: True),
        ("phone", _PHONE, _is_phone),
    )


def _is_phone(value):
    import phonenumbers

    grouped = not value.isdigit()  # a bare run of digits is an order number more often than a phone number
    regions = [None] if value.startswith("+") else REGIONS if grouped else ()
    strict = phonenumbers.Leniency.STRICT_GROUPING
    return any(phonenumbers.PhoneNumberMatcher(value, region, strict).has_next() for region in regions)
