"""A gateways' authority that was deceived makes no desk: a real mosquitto holds it to its own certificate."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from .broker_client import WITHIN_S, client
from .certificates import Authority
from .guarded_broker import AREA, DEPLOY, DESK, DESK_OF_ALL, GuardedBroker

CHECK = DEPLOY / "mosquitto/check-authority.sh"
_GATEWAY_TOO = x509.NameAttribute(NameOID.COMMON_NAME, "gw-1")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path_factory.mktemp("guarded") / "broker") as made:
        yield made


def _cn(name: str, kind: _ASN1Type = _ASN1Type.UTF8String) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, name, _type=kind)


@pytest.mark.parametrize("name", [DESK, DESK_OF_ALL])
@pytest.mark.parametrize(
    ("before", "after", "kind", "also"),
    [
        ([], [], _ASN1Type.UTF8String, []),
        ([], [], _ASN1Type.PrintableString, []),
        ([], [], _ASN1Type.T61String, []),
        ([], [], _ASN1Type.IA5String, []),
        ([], [], _ASN1Type.BMPString, []),
        ([], [_GATEWAY_TOO], _ASN1Type.UTF8String, []),
        ([_GATEWAY_TOO], [], _ASN1Type.UTF8String, []),
        ([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x")], [], _ASN1Type.UTF8String, []),
        # OpenSSL looks at no CN where there is a DNS name, and forbids that one.
        ([], [], _ASN1Type.UTF8String, [x509.DNSName("gw-1")]),
        ([], [], _ASN1Type.UTF8String, [x509.DNSName("")]),
        ([], [], _ASN1Type.UTF8String, [x509.DNSName("*")]),
        ([], [], _ASN1Type.UTF8String, [x509.UniformResourceIdentifier("x:y"), x509.RFC822Name("a@b.c")]),
    ],
)
def test_no_certificate_of_the_gateways_authority_comes_in_as_a_desk(
    broker: GuardedBroker,
    name: str,
    before: Sequence[x509.NameAttribute[str]],
    after: Sequence[x509.NameAttribute[str]],
    kind: _ASN1Type,
    also: Sequence[x509.GeneralName],
) -> None:
    subject = x509.Name([*before, _cn(name, kind), *after])
    held = broker.gateway_authority.issue("forged", subject=subject, also=also)
    context = ssl.create_default_context(cafile=str(broker.broker_ca))
    context.load_cert_chain(*held)
    with (
        socket.create_connection(("127.0.0.1", broker.gateways), WITHIN_S) as raw,
        # Its alert, not a silence: in TLS 1.3 the handshake is over for the client before it comes.
        pytest.raises(ssl.SSLError, match="ALERT"),
        context.wrap_socket(raw, server_hostname="127.0.0.1") as secured,
    ):
        secured.recv(1)


async def test_a_gateway_that_was_signed_beside_it_comes_in(broker: GuardedBroker) -> None:
    """The counter-proof: it is the name that is refused."""
    async with client(broker, "gw-1") as one:
        await one.publish(f"pingan/v1/{AREA}/gw-1/up/event")


async def test_an_authority_without_that_line_makes_desks(tmp_path: Path) -> None:
    """What the example warns of: hence the check at each start, which finds it."""
    with GuardedBroker(tmp_path / "broker", dotless=False) as broker:
        async with (
            client(broker, DESK, authority=broker.gateway_authority, port=broker.gateways) as forged,
            client(broker, "gw-2") as two,
        ):
            await forged.inner.subscribe(f"pingan/v1/{AREA}/+/up/#", qos=1)
            await two.publish(f"pingan/v1/{AREA}/gw-2/up/event", b"secret")
            await forged.until(f"pingan/v1/{AREA}/gw-2/up/event", b"secret")
        assert _checked(broker.gateway_authority.file) == 1


async def test_an_authority_of_desks_makes_gateways_too(broker: GuardedBroker) -> None:
    """What SECURITY.md says of it: one list of rights holds on both ports."""
    topic = f"pingan/v1/{AREA}/gw-2/up/event"
    async with (
        client(broker, DESK) as desk,
        client(broker, "gw-2", authority=broker.desk_authority, port=broker.desks) as forged,
    ):
        await desk.inner.subscribe(topic, qos=1)
        await forged.publish(topic, b"forged")
        await desk.until(topic, b"forged")


def test_the_check_passes_the_authority_that_the_example_says_how_to_make(tmp_path: Path) -> None:
    text = (DEPLOY / "mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    shown = text[text.index("openssl req") : text.index("# (excluded")]
    command = " ".join(line.strip("# \\") for line in shown.splitlines())
    subprocess.run(f"{command} -noenc", shell=True, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert _checked(tmp_path / "ca-gateways-jianghai.pem") == 0


def test_the_check_refuses_what_it_cannot_be_sure_of(tmp_path: Path) -> None:
    good, other = Authority(tmp_path, "good", dotless=True).file, Authority(tmp_path, "other").file
    assert _checked(good) == 0
    assert _checked(other) == 1
    both = tmp_path / "both.pem"
    both.write_bytes(good.read_bytes() + other.read_bytes())
    assert _checked(both) == 1
    both.write_text("", encoding="utf-8")
    assert _checked(both) == 1
    assert _checked(tmp_path / "absent.pem") != 0


def _checked(file: Path) -> int:
    return subprocess.run(["sh", CHECK, file], capture_output=True, check=False, timeout=60).returncode
