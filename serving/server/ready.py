"""What the server says when it answers."""


def announce(model_name, version, address):
    """The line that scripts wait for."""
    print(f"READY model={model_name} version={version} grpc={address}", flush=True)
