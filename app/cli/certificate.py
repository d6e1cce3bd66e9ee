"""The certificate to serve TLS with: one that was given, or one of our own making for trying things out, which is made
once, kept in the data folder, and renewed when it runs out."""

import ipaddress
import os
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.errors import BackendError
from app.settings import Settings, SettingsError

CERTIFICATE_FILE = "tls-certificate.pem"
KEY_FILE = "tls-key.pem"
VALID_FOR = timedelta(days=397)
"""The longest that common clients accept, even where they are told to trust it."""


def certificate_of(settings: Settings) -> tuple[Path | None, Path | None]:
    """The files of certificate and key, none without TLS. Raises SettingsError when they cannot be used."""
    if not settings.uses_tls:
        return None, None
    certificate, key = self_signed(settings) if settings.tls_self_signed else (settings.tls_cert, settings.tls_key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate or "", key)
    except OSError as error:  # also ssl.SSLError
        raise SettingsError([f"The TLS certificate or key cannot be used: {error}."]) from error
    return certificate, key


def self_signed(settings: Settings) -> tuple[Path, Path]:
    """Return the files of certificate and key, making them when there are none that are valid for another day.

    The certificate names localhost, this machine and the address listened on. Raises BackendError.
    """
    certificate, key = settings.data_dir / CERTIFICATE_FILE, settings.data_dir / KEY_FILE
    try:
        if not (key.exists() and _is_valid(certificate, settings.host)):
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(certificate, key, settings.host)
    except OSError as error:
        raise BackendError(f"The certificate cannot be kept in {settings.data_dir}: {error.strerror}.") from error
    return certificate, key


def _is_valid(file: Path, host: str) -> bool:
    if not file.exists():
        return False
    try:
        known = x509.load_pem_x509_certificate(file.read_bytes())
        names = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    ends_later = known.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1)
    return ends_later and set(_names(host)) <= set(names)


def _make(certificate: Path, key: Path, host: str) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stepgate (self-signed)")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(secret, SHA256())
    )
    _write(key, secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write(certificate, signed.public_bytes(Encoding.PEM))


def _names(host: str) -> list[x509.GeneralName]:
    names = dict.fromkeys(["localhost", socket.gethostname(), "127.0.0.1", "::1", host])
    return [_name(name) for name in names if name not in {"0.0.0.0", "::"}]  # noqa: S104 - any address is no name


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _write(file: Path, content: bytes) -> None:
    """Write for the owner's eyes only, and whole or not at all."""
    part = file.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(content)
    part.replace(file)
