"""The token by which a caller is known, as the metadata `authorization: Bearer …`; it stands in no error and no log."""

from .targets import is_loopback

_HIDDEN = "[token]"


class Bearer:
    """`token`: a str, or a callable that gives one and is asked at each try, so that it may change."""

    def __init__(self, token):
        self._token = token if callable(token) else lambda: token
        if not callable(token):
            _check(token)

    def now(self):
        """The token of this moment. ValueError, without it, where no header can carry it."""
        return _check(self._token())


def bearer_of(token, addresses, secure, in_clear):
    """The Bearer of a client's arguments or None. ValueError where the token would cross a network in clear."""
    if token is None:
        return None
    open_to_all = [address for address in addresses if not is_loopback(address)]
    if open_to_all and not secure and not in_clear:
        raise ValueError(
            f"a token would go to {open_to_all[0]} in clear; give tls=True or Tls(…) (--tls), "
            "or say token_in_clear=True (--token_in_clear) where the network between is trusted"
        )
    return Bearer(token)


def metadata_of(token):
    """The gRPC metadata, or HTTP headers, of a token or of None."""
    return None if token is None else (("authorization", f"Bearer {token}"),)


def without(token, text):
    """`text` of a server, in which the token that it was shown is not repeated."""
    return text.replace(token, _HIDDEN) if token and text else text


def _check(token):
    if not isinstance(token, str):
        raise TypeError(f"token is {type(token).__name__}; give a str, or a callable that returns one")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("token is empty or holds spaces, line ends or characters beyond ASCII; give the token alone")
    return token
