import os

import pytest

from serving.contract import ServingError
from serving.server import batching_parameters
from serving.server.batching_parameters import BatchingParameters
from serving.server.status import StatusError

WHOLE = """
max_batch_size { value: 32 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 8 }
num_batch_threads { value: 3 }
thread_pool_name { value: "batches" }  # a name alone
allowed_batch_sizes: 8
allowed_batch_sizes: 32
pad_variable_length_inputs: true
enable_large_batch_splitting { value: true }
max_execution_batch_size { value: 16 }
"""


def read(tmp_path, text):
    path = tmp_path / "batching.pbtxt"
    path.write_text(text)
    return batching_parameters.read(path, f"--batching_parameters_file={path}")


def test_every_field_is_read(tmp_path):
    assert read(tmp_path, WHOLE) == BatchingParameters(32, 2000, 8, 3, (8, 32), True, True, 16)


def test_an_empty_file_means_the_real_servers_defaults(tmp_path):
    assert read(tmp_path, "") == BatchingParameters(1000, 0, 10, os.cpu_count(), (), False, False, None)


def test_sizes_are_filled_up_to_the_next_allowed(tmp_path):
    found = read(tmp_path, WHOLE)
    assert [found.padded(rows) for rows in (1, 8, 9, 32, 33)] == [8, 8, 32, 32, 33]
    assert found.most_rows == 16
    assert BatchingParameters().padded(7) == 7 and BatchingParameters().most_rows == 1000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_batch_size { value: 0 }", "input_batch_size_limit must be positive; was 0"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros must be non-negative; was -1"),
        ("max_enqueued_batches { value: 0 }", "max_enqueued_batches must be positive; was 0"),
        ("num_batch_threads { value: 0 }", "num_batch_threads must be positive; was 0"),
        ("max_batch_size { value: 32 } allowed_batch_sizes: 16", "last entry was 16; expected 32"),
        (
            "max_batch_size { value: 4 } enable_large_batch_splitting { value: true } "
            "max_execution_batch_size { value: 5 }",
            "must be greater than or equal to max_execution_batch_size",
        ),
    ],
)
def test_what_the_real_server_refuses_is_refused_in_its_words(tmp_path, text, said):
    with pytest.raises(StatusError, match=said):
        read(tmp_path, text)


def test_a_file_that_is_none_is_one_line_with_its_place(tmp_path):
    with pytest.raises(ServingError, match=r"batching.pbtxt:2: not a BatchingParameters text proto: .*max_batch_sise"):
        read(tmp_path, "max_enqueued_batches { value: 1 }\nmax_batch_sise { value: 1 }")
    with pytest.raises(ServingError, match="--batching_parameters_file=nowhere: No such file"):
        batching_parameters.read("nowhere", "--batching_parameters_file=nowhere")


def test_a_version_may_bring_its_own(tmp_path):
    assert batching_parameters.of_version(tmp_path) is None
    (tmp_path / "batching_params.pbtxt").write_text("max_batch_size { value: 7 }")
    assert batching_parameters.of_version(tmp_path).max_batch_size == 7
