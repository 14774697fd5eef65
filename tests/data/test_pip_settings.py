"""pip's configuration as `pip config list` prints it, and what it leads to."""

import pytest

from data.pip_settings import PYPI, parse_config_list, read_pip_settings, settings_of


def of(text, environ=None):
    return settings_of(parse_config_list(text), environ or {})


def test_nothing_configured_is_pypi():
    assert of("").index_urls == (PYPI,)


def test_later_sections_win_as_in_pip_download():
    lines = [":env:.index-url='http://env'", "download.index-url='http://download'", "global.index-url='http://global'"]
    assert of("\n".join(lines)).index_urls == ("http://env",)
    assert of("\n".join(lines[1:])).index_urls == ("http://download",)
    assert of("\n".join(lines[2:])).index_urls == ("http://global",)


def test_empty_value_overrides_nothing():
    assert of("global.index-url='http://global'\n:env:.index-url=''").index_urls == ("http://global",)


def test_lists_are_split_at_white_space_and_keep_their_order():
    text = r"global.extra-index-url='\nhttp://b/simple\nhttp://a/simple'" + "\nglobal.find-links='/opt/w http://w'"
    assert of(text).index_urls == (PYPI, "http://b/simple", "http://a/simple")
    assert of(text).find_links == ("/opt/w", "http://w")


def test_other_sections_and_chatter_are_passed_over():
    text = "For variant 'user', will try loading /x\nwheel.index-url='http://no'\nglobal.trusted-host='h:8080'"
    assert of(text).index_urls == (PYPI,)
    assert of(text).trusted_hosts == ("h:8080",)


@pytest.mark.parametrize(("value", "urls"), [("true", ()), ("1", ()), ("0", (PYPI,)), ("no", (PYPI,))])
def test_no_index(value, urls):
    assert of(f"global.no-index='{value}'").index_urls == urls


def test_certificates_proxy_and_patience():
    text = "global.proxy='http://p:3128'\n:env:.default-timeout='180'\nglobal.retries='2'\nglobal.client-cert='/c.pem'"
    found = of(text, {"REQUESTS_CA_BUNDLE": "/requests.pem"})
    assert (found.proxy, found.timeout, found.retries, found.client_cert) == ("http://p:3128", 180.0, 2, "/c.pem")
    assert found.ca_bundle == "/requests.pem"
    assert of("global.cert='/own.pem'", {"REQUESTS_CA_BUNDLE": "/requests.pem"}).ca_bundle == "/own.pem"


def test_proxy_without_scheme_is_http_as_for_pip():
    assert of("global.proxy='p:3128'").proxy == "http://p:3128"


def test_the_users_own_files_and_variables_are_read_even_where_pip_is_told_to_be_quiet(tmp_path):
    conf = tmp_path / "pip.conf"
    conf.write_text("[global]\nquiet = 2\nindex-url = http://user:p%40ss@file/simple\nextra-index-url =\n  http://x\n")
    environ = {
        "PIP_CONFIG_FILE": str(conf),
        "PIP_FIND_LINKS": "/variable",
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    found = read_pip_settings(environ)
    assert found.index_urls[0] == "http://user:p%40ss@file/simple"
    assert "http://x" in found.index_urls
    assert found.find_links == ("/variable",)


def test_variables_alone_serve_where_there_is_no_pip(monkeypatch):
    monkeypatch.setattr("data.pip_settings._config_list", lambda environ: "")
    found = read_pip_settings({"PIP_INDEX_URL": "http://env", "PIP_NO_INDEX": "", "HOME": "/"})
    assert found.index_urls == ("http://env",)
