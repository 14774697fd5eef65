"""report.html and compare.html in a real Chromium: no request leaves the page, nothing is complained of."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from tests.trainer.report import workdirs
from trainer.report import comparison, page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]
QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions"),
    # whatever the browser itself would ask for meets no name server
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--virtual-time-budget=3000"),
)


def browse(url, folder):
    """(DOM after loading, URLs that were asked for, console messages)."""
    log = folder / "net.json"
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", "--dump-dom", url]
    done = subprocess.run(command, capture_output=True, timeout=120, env={**os.environ, "HOME": str(folder)})
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    text = log.read_text(encoding="utf-8")
    events = json.loads(text if text.rstrip().endswith("}") else text.rstrip().rstrip(",") + "]}")["events"]
    urls = {event["params"]["url"] for event in events if "url" in event.get("params", {})}
    console = re.findall(r"CONSOLE[^\]]*\] (.*)", done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8"), urls, console


def outside(urls, host="example.org"):
    return sorted(url for url in urls if host in url)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages full of hostile text, which names a host to see whether it is asked."""
    folder = tmp_path_factory.mktemp("pages")
    labels = ("negative", workdirs.HOSTILE)
    first, second = (
        workdirs.make(folder / name, labels, seed=seed, texts=[workdirs.HOSTILE] * 60, strength=0.5)
        for seed, name in enumerate(("first", "second"))
    )
    (folder / "report.html").write_text(page.html(first), encoding="utf-8")
    (folder / "compare.html").write_text(comparison.html(comparison.compare([first, second])), encoding="utf-8")
    return folder


def test_the_log_would_show_a_request(tmp_path):
    (tmp_path / "page.html").write_text('<img src="http://example.org/x.png"><script>console.log("said")</script>')
    _, urls, console = browse((tmp_path / "page.html").as_uri(), tmp_path)
    assert outside(urls) == ["http://example.org/x.png"] and any("said" in line for line in console)


@pytest.mark.parametrize("name", ["report.html", "compare.html"])
def test_no_request_leaves_the_page_and_nothing_is_complained_of(pages, tmp_path, name):
    dom, urls, console = browse((pathlib.Path(pages) / name).as_uri(), tmp_path)
    assert "</html>" in dom and "Written by Slipway" in dom
    assert outside(urls) == [] and console == []
