"""How versions are loaded with --enable_batching; what is answered then is held to tests/conformance."""

import pytest

from serving.server import batching, options
from serving.server.batched_version import BatchedVersion
from serving.server.status import StatusError
from tests.serving.server.running import Server


def loading(**given):
    return batching.Loading(options.Options(model_base_path="", enable_batching=True, **given))


def test_a_version_is_batched_only_by_its_own_file_where_that_is_asked(fresh):
    plain, batched = fresh("a", "2026-01-02T00:00:00Z"), fresh("a", "2026-01-03T00:00:00Z")
    (batched / "batching_params.pbtxt").write_text("max_batch_size { value: 2 }")
    own = loading(enable_per_model_batching_parameters=True)
    with own.load(plain) as one, own.load(batched) as other:
        assert not isinstance(one, BatchedVersion) and isinstance(other, BatchedVersion)
    own.close()


def test_a_version_whose_own_file_is_wrong_cannot_be_loaded(fresh):
    version = fresh("a", "2026-01-02T00:00:00Z")
    (version / "batching_params.pbtxt").write_text("allowed_batch_sizes: 2")
    own = loading(enable_per_model_batching_parameters=True)
    with pytest.raises(StatusError, match="Last entry in allowed_batch_sizes must match max_batch_size"):
        own.load(version)
    own.close()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--batching_parameters_file=x"], "--batching_parameters_file is set without --enable_batching"),
        (["--enable_batching", "--batching_parameters_file={empty}"], "num_batch_threads must be positive; was 0"),
    ],
)
def test_flags_that_do_not_go_together_end_with_one_line(versions, tmp_path, flags, said):
    (tmp_path / "empty").write_text("num_batch_threads { value: 0 }")
    base = tmp_path / "reviews"
    base.mkdir()
    (base / "1").symlink_to(versions["a"])
    flags = [flag.format(empty=tmp_path / "empty") for flag in flags]
    with Server(base, "--engine=embedded", "--port=0", *flags) as server:
        assert server.process.wait(60) == 2
        assert said in server.log_text().strip().splitlines()[-1]
