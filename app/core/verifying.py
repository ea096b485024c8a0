"""What signatures may be checked with: which public keys, and which secrets."""

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError

PublicKey = RSAPublicKey | EllipticCurvePublicKey

SHORTEST_SECRET_BYTES = 32
"""Of HS256, by RFC 7518 section 3.2: as long as what it signs with it. A shorter one can be guessed offline."""

SHORTEST_RSA_BITS = 2048
LONGEST_RSA_BITS = 8192
"""The first by RFC 7518 section 3.3; beyond the second, checking one signature takes milliseconds."""


def require_secret(secret: bytes) -> None:
    """ValueError, which tells nothing of it, for a secret that signatures are not checked with."""
    if len(secret) < SHORTEST_SECRET_BYTES:
        raise ValueError(f"must have at least {SHORTEST_SECRET_BYTES} bytes")
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except InvalidKeyError:
        # Whoever has a public key could sign with such a secret.
        raise ValueError("must be a secret, not a key in PEM or JSON") from None


def public_key(pem: str) -> PublicKey:
    """The public key that is written there, for RS256 or ES256; ValueError for any other."""
    try:
        found = load_pem_public_key(pem.encode())
    except Exception:
        # Not only ValueError: the library has errors of its own for what it does not support.
        raise ValueError("must be a public key in PEM, or the path of a file with one") from None
    if not is_accepted(found):
        raise ValueError(f"must be RSA of {SHORTEST_RSA_BITS} to {LONGEST_RSA_BITS} bits, or of the curve P-256")
    return found  # type: ignore[return-value]


def is_accepted(key: object) -> bool:
    """Whether signatures are checked with such a key."""
    match key:
        case RSAPublicKey():
            return SHORTEST_RSA_BITS <= key.key_size <= LONGEST_RSA_BITS
        case EllipticCurvePublicKey():
            return isinstance(key.curve, SECP256R1)
        case _:
            return False
