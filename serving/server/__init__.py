"""One command, three engines: tensorflow_model_server on PATH, docker, or the embedded server."""
