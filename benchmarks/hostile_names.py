"""What a hostile caller writes where a name, a text or a number is expected; hypothesis strategies."""

from hypothesis import strategies as st

TRAVERSAL = ("..", "../../etc/passwd", "..\\..\\windows", "/etc/passwd", "%2e%2e%2f", "m/../../1", "file:///dev/zero")
FORMATS = ("%s%s%n", "{0.__class__}", "${jndi:ldap://x}", "'; DROP TABLE models; --", "<script>", "\r\nX: y", "\0", "")
SIGNATURES = ("", "serving_default", "classify", "regress", "contract", "predict", "none")
INPUTS = ("text", "inputs", "text_pair", "key", "floats")
METHODS = ("tensorflow/serving/predict", "tensorflow/serving/classify", "tensorflow/serving/regress")
NUMBERS = (-(2**63), -(2**31), -1, 0, 1, 2, 3, 7, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1)

texts = st.one_of(
    st.sampled_from(TRAVERSAL + FORMATS),
    st.text(max_size=12),  # no lone surrogate: a proto cannot hold one
    st.integers(1, 5000).map(lambda size: "a" * size),
)
octets = st.one_of(st.binary(max_size=16), st.sampled_from((b"\xff\xfe", b"\xc3(", b"\xed\xa0\x80", b"a\x00b", b"")))
numbers = st.one_of(st.sampled_from(NUMBERS), st.integers(-(2**63), 2**63 - 1))


def mostly(good, bad):
    """One of `good`, a sequence, or in a fifth of the cases what the strategy gives: so a request gets deep."""
    return st.integers(0, 4).flatmap(lambda drawn: st.sampled_from(good) if drawn else bad)
