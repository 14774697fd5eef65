"""The user's own pip configuration: the one way to a package registry that a corporate machine is sure to have.

`pip config list` merges the global, user, site and virtual environment files with the PIP_* variables as pip itself
does; nothing of pip is imported, so any release of pip will do.
"""

import ast
import dataclasses
import os
import re
import shutil
import subprocess
import sys

PYPI = "https://pypi.org/simple"
_LINE = re.compile(r"^(global|install|download|:env:)\.([\w-]+)=(.*)$")
_ORDER = ("global", "install", "download", ":env:")  # the later one wins, as in `pip download`
_FALSE = ("", "0", "n", "no", "f", "false", "off")


@dataclasses.dataclass(frozen=True)
class PipSettings:
    """Where packages lie and how to get there; URLs may hold credentials, so never print one unredacted."""

    index_urls: tuple = (PYPI,)
    find_links: tuple = ()
    trusted_hosts: tuple = ()
    ca_bundle: str = ""  # "": what the system and certifi trust
    client_cert: str = ""
    proxy: str = ""  # "": HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment
    timeout: float = 15.0  # seconds without an answer or a byte
    retries: int = 5


def read_pip_settings(environ=os.environ):
    """PipSettings of this user on this machine; without any pip at hand, those of the PIP_* variables alone."""
    return settings_of(parse_config_list(_config_list(environ)) or _variables(environ), environ)


def parse_config_list(text):
    """`{option: value}` from the lines `section.option='value'` that `pip config list` prints."""
    found = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            section, option, value = match.groups()
            found[option, _ORDER.index(section)] = ast.literal_eval(value)
    return {option: value for (option, _), value in sorted(found.items()) if value}


def settings_of(options, environ):
    """PipSettings from `{option: value}`, values being the strings that pip's files and variables hold."""
    main = [options.get("index-url") or options.get("pypi-url") or PYPI]
    no_index = options.get("no-index", "").lower() not in _FALSE
    return PipSettings(
        index_urls=() if no_index else tuple(main + options.get("extra-index-url", "").split()),
        find_links=tuple(map(os.path.expanduser, options.get("find-links", "").split())),
        trusted_hosts=tuple(options.get("trusted-host", "").split()),
        ca_bundle=options.get("cert") or environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or "",
        client_cert=options.get("client-cert", ""),
        proxy=with_scheme(options.get("proxy", "")),
        timeout=_number(options.get("timeout") or options.get("default-timeout"), 15.0),
        retries=max(0, int(_number(options.get("retries"), 5))),
    )


def with_scheme(proxy):
    """A proxy's URL; as for pip, `host:port` alone means http."""
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _config_list(environ):
    # PIP_QUIET=0: a `quiet = 1` in a file would otherwise leave the list empty.
    environ = {**environ, "PIP_QUIET": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for command in ([sys.executable, "-m", "pip"], [shutil.which("pip") or ""]):
        try:
            done = subprocess.run(
                [*command, "config", "list"],
                check=False,
                env=environ,
                capture_output=True,
                encoding="utf-8",
                timeout=60,  # seconds
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return done.stdout
    return ""


def _variables(environ):
    named = {key[4:].lower().replace("_", "-"): value for key, value in environ.items() if key.startswith("PIP_")}
    return {option: value for option, value in named.items() if value}


def _number(text, default):
    try:
        return float(text)
    except (TypeError, ValueError):
        return default
