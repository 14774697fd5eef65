"""Text in a Markdown table stays that text, whatever it holds; read back by the converter that TensorBoard uses."""

import html
import re

import markdown
import pytest

from trainer.report.markdown import escaped, table

HOSTILE = [
    "a | b || c",
    "<script>alert(1)</script> & &lt;",
    "`code` ``` ~~~ **bold** __under__ *x* ~~y~~",
    "[link](http://example.org) ![image](x) <http://example.org>",
    "# head\n- item\r\n1. one\u2028two",
    "back\\slash \\| \\\\",
    "card_arrival_",
    "",
    "   ",
    "\x00\x1b[31m",
    "中文 | 表格",
    "---",
    "&#124;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_shows_the_text_and_nothing_else(text):
    page = markdown.markdown(table(("row", "text", "end"), [(1, text, "end")]), extensions=["tables", "fenced_code"])
    assert set(re.findall(r"<(/?\w+)", page)) - {"table", "/table", "thead", "/thead", "tbody", "/tbody"} <= {
        *("tr", "/tr", "th", "/th", "td", "/td")
    }
    cells = [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", page, re.S)]
    assert len(cells) == 3 and cells[0] == "1" and cells[2] == "end"
    shown = re.sub(r"\r\n|[\n\u2028]", " ⏎ ", text).replace("\x00", "\ufffd").replace("\x1b", "\ufffd")
    assert cells[1] == shown.strip()


def test_a_lone_surrogate_can_be_written():
    escaped("\ud800 a").encode("utf-8")
