"""ModelService's HandleReloadConfigRequest (tensorflow_serving/model_servers/model_service_impl.cc)."""

from absl import logging
from tensorflow_serving.apis import model_management_pb2

from serving.server.status import StatusError, invalid


def reload_config(models, request):
    """ReloadConfigResponse; the models are those of the request from then on. `models`: Models."""
    try:
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently "
                "supported"
            )
        models.reload(request.config)
    except StatusError as error:
        logging.error("ReloadConfig failed: %s", error.message)
        raise
    return model_management_pb2.ReloadConfigResponse()
