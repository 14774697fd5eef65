import pytest

from data.doctor.personal import find, mask


@pytest.mark.parametrize(
    "text, kind, masked",
    [
        ("mail jane.doe+x@mail.example.org now", "mail", "mail j•••@•••.org now"),
        ("call +1 202-555-0143 please", "phone", "call •••43 please"),
        ("(202) 555-0143", "phone", "•••43"),
        ("我的电话是13812345678，谢谢", "phone", "我的电话是•••78，谢谢"),
        ("card 4111-1111-1111-1111.", "card", "card •••11."),
        ("card 378282246310005", "card", "card •••05"),
        ("it is 536-90-4399", "us_ssn", "it is •••99"),
        ("to GB82 WEST 1234 5698 7654 32", "iban", "to •••32"),
        ("to DE89370400440532013000", "iban", "to •••00"),
        ("身份证11010519491231002X", "cn_id", "身份证•••2X"),
    ],
)
def test_found_and_masked(text, kind, masked):
    assert [found for found, _, _ in find(text)] == [kind]
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "order 2025550143 of 2020-10-11 12:30",
        "EUR 100 000 000 and 1,234,567.89",
        "4111111111111112",
        "from 2008-2009 to 2010-2012",
        "ISBN 978-3-16-148410-0",
        "10.10.2012 11.11.2013",
        "192.168.100.100",
        "110105194912310021",
        "GB83 WEST 1234 5698 7654 32",
        "666-12-3456",
        "nobody@home or @you",
        "",
    ],
)
def test_not_personal(text):
    assert find(text) == [] and mask(text) == text
