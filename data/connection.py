"""The HTTP client of a PipSettings: certificates, proxies and credentials as pip would use them."""

import contextlib
import os
import ssl
import urllib.request

import httpx2
from unearth.auth import MultiDomainBasicAuth
from unearth.fetchers import PyPIClient

from data.pip_settings import with_scheme
from trainer.config import EnvironmentFault


def open_client(settings):
    """The PyPIClient of unearth for `settings`; EnvironmentFault where a certificate file or proxy is no good."""
    try:
        context = _trust(settings)
    except OSError as error:
        given = settings.ca_bundle or settings.client_cert
        raise EnvironmentFault(f"pip's certificate file {given}: {error.strerror or error}; mend it") from None
    try:
        return _client_with(context, settings)
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        raise EnvironmentFault(f"the proxy of pip's configuration or of HTTPS_PROXY: {error}") from None


def _client_with(context, settings):
    # unearth would reach trusted hosts past every proxy; these mounts of ours go through it.
    open_context = ssl.create_default_context()
    open_context.check_hostname, open_context.verify_mode = False, ssl.CERT_NONE
    mounts = {
        f"all://{host}": httpx2.HTTPTransport(verify=open_context, proxy=_proxy(host, settings) or None)
        for host in settings.trusted_hosts
    }
    places = [place for place in settings.index_urls + settings.find_links if "://" in place]
    client = PyPIClient(
        trusted_hosts=settings.trusted_hosts,
        verify=context,
        timeout=settings.timeout,
        proxy=settings.proxy or None,
        mounts=mounts,
        follow_redirects=True,
    )
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=places)
    return client


def _trust(settings):
    if not settings.ca_bundle:
        context = ssl.create_default_context()
        with contextlib.suppress(ImportError):
            import certifi  # beside the system's own store, which some Pythons cannot find

            context.load_verify_locations(certifi.where())
    elif os.path.isdir(settings.ca_bundle):
        context = ssl.create_default_context(capath=settings.ca_bundle)
    else:
        context = ssl.create_default_context(cafile=settings.ca_bundle)
    if settings.client_cert:
        context.load_cert_chain(settings.client_cert)
    return context


def _proxy(host, settings):
    if settings.proxy or urllib.request.proxy_bypass(host):
        return settings.proxy
    found = urllib.request.getproxies()
    return with_scheme(found.get("https") or found.get("http") or found.get("all") or "")
