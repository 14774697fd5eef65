"""What the server says when it answers."""


def announce(model_name, version, address, rest=None):
    """The line that scripts wait for; `rest`: the address of REST, where there is one."""
    line = f"READY model={model_name} version={version} grpc={address}"
    print(f"{line} rest={rest}" if rest else line, flush=True)
