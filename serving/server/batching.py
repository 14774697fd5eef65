"""How versions are loaded: plain, or with their runs batched as --enable_batching and its files say.

Sources: BuildAndStart in tensorflow_serving/model_servers/server.cc; InternalCreateSavedModelBundle in
tensorflow_serving/servables/tensorflow/saved_model_bundle_factory.cc.
"""

from serving.contract import ServingError
from serving.server import batching_parameters
from serving.server.batch_scheduler import BatchScheduler
from serving.server.batched_version import BatchedVersion
from serving.server.status import StatusError
from serving.server.warmed_version import WarmedVersion


class Loading:
    """load(version_dir) gives a ServedVersion; close it when all of them are closed."""

    def __init__(self, options):
        """options: Options. ServingError for a file of parameters that cannot be used."""
        self._parameters, self._per_model = None, options.enable_per_model_batching_parameters
        self._checks_methods = options.enable_signature_method_name_check
        if options.enable_batching:
            self._parameters = _parameters_of(options)
            self._scheduler = BatchScheduler(self._parameters.num_batch_threads)

    def load(self, version_dir):
        """A version, batched where it is to be; StatusError for parameters that cannot be used."""
        parameters = self._parameters
        if parameters and self._per_model:
            parameters = batching_parameters.of_version(version_dir)
        batched = parameters and BatchedVersion(version_dir, self._scheduler, parameters)
        version = batched or WarmedVersion(version_dir)
        version.checks_methods = self._checks_methods
        return version

    def close(self):
        """Ends the threads that make batches."""
        if self._parameters:
            self._scheduler.close()


def _parameters_of(options):
    path = options.batching_parameters_file
    if not path:
        return batching_parameters.BatchingParameters()
    try:
        return batching_parameters.read(path, f"--batching_parameters_file={path}")
    except StatusError as error:
        raise ServingError(f"--batching_parameters_file={path}: {error.message}") from None
