"""Which ways of being faster a run may take: `--speed` for all of them together, a flag for each."""

PLAIN = {"precision": "float32", "xla": "off", "unpadded": "off", "batching": "random", "allocator": "system"}


def asked(config):
    """{lever: what its flag asks for}; `auto` stays where it is the device that decides, and is PLAIN without speed."""
    given = {name: config.flat()[name] for name in PLAIN}
    if config.device.speed == "auto":
        return given
    return {name: PLAIN[name] if value == "auto" else value for name, value in given.items()}
