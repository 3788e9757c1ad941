"""Builds the unix port from Debian's source package with our variant. Owns version, hash and build steps.

Must not know apt (debian.py). The result is kept under a name made of everything that went into it, so a changed
variant builds anew and an unchanged one never does.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from hil_tests import cache, debian
from hil_tests.micropython.errors import BuildFailed

VERSION = "1.25.0+ds-1"
_ORIG = "micropython_1.25.0+ds.orig.tar.xz"
_ORIG_SHA256 = "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea"
_SUITE = "trixie"
_PROGRAM = "micropython-pingan"
_VARIANT = Path(__file__).parent / "variant"
_WITHIN_S = 900
_TAIL = 4000
# 32 bits: the boards' single-precision floats too, so that objects have the boards' sizes.
_FLAGS_32 = ["MICROPY_FORCE_32BIT=1", "CFLAGS_EXTRA=-DMICROPY_FLOAT_IMPL=MICROPY_FLOAT_IMPL_FLOAT"]


def binary(bits: int) -> Path:
    """The built interpreter, from the cache or built now. Raises BuildFailed."""
    program = finished(bits)
    if not program.exists():
        if bits == 32:
            _need_multilib()
        with cache.lock(program.parent):
            if not program.exists():
                _build(program.parent, program, bits)
    return program


def _need_multilib() -> None:
    """Raise BuildFailed in one line instead of after a page of the compiler's."""
    probe = ["gcc", "-m32", "-E", "-include", "stdio.h", "-x", "c", "/dev/null", "-o", "/dev/null"]
    if subprocess.run(probe, capture_output=True, timeout=_WITHIN_S, check=False).returncode:
        raise BuildFailed("this compiler makes no 32-bit programs: install gcc-multilib (x86-64 only)")


def finished(bits: int) -> Path:
    """Where the interpreter made of these very sources is, or will be."""
    return cache.directory("micropython") / f"{_PROGRAM}-{_fingerprint(bits)}"


def _fingerprint(bits: int) -> str:
    digest = hashlib.sha256(f"{VERSION} {_ORIG_SHA256} {bits}".encode())
    for file in [*sorted(_VARIANT.iterdir()), Path(__file__)]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _build(place: Path, target: Path, bits: int) -> None:
    tarball = _tarball(place)
    mbedtls = _mbedtls(place, bits)
    with tempfile.TemporaryDirectory(dir=place, prefix="build-") as temporary:
        with tarfile.open(tarball) as archive:
            # Debian 12's Python 3.11.2 has no filters yet; what is in the archive is known by its hash.
            if hasattr(tarfile, "data_filter"):
                archive.extractall(temporary, filter="data")
            else:
                archive.extractall(temporary)  # noqa: S202
        (source,) = Path(temporary).iterdir()
        shutil.copytree(_VARIANT, source / "ports/unix/variants/pingan")
        library = source / "lib/micropython-lib"
        library.mkdir(exist_ok=True)
        # The makefile takes this file's absence for a forgotten git submodule; we freeze nothing from it.
        (library / "README.md").touch()
        _make(source / "mpy-cross", [])
        archive_file = next(mbedtls.glob("usr/lib/*/libmbedcrypto.a"))
        flags = ["VARIANT=pingan", f"MBEDTLS_INCLUDE={mbedtls}/usr/include", f"MBEDTLS_ARCHIVE={archive_file}"]
        _make(source / "ports/unix", flags + (_FLAGS_32 if bits == 32 else []))
        program = source / "ports/unix/build-pingan" / _PROGRAM
        os.replace(program, target)


def _make(place: Path, arguments: list[str]) -> None:
    command = ["make", f"-j{os.cpu_count() or 1}", *arguments]
    # Otherwise the version header asks git, and finds whatever repository the cache happens to lie in.
    environment = {**os.environ, "MICROPY_GIT_TAG": "v1.25.0", "MICROPY_GIT_HASH": "debian", "LC_ALL": "C"}
    environment.pop("MAKEFLAGS", None)
    try:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFailed(f"make in {place.name}: {error}") from error
    if done.returncode:
        raise BuildFailed(f"make in {place.name} failed:\n{(done.stdout + done.stderr)[-_TAIL:]}")


def _tarball(place: Path) -> Path:
    """The upstream sources as Debian ships them, checked against the pinned hash; kept, for mirrors forget versions."""
    kept = place / _ORIG
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=place, prefix="download-") as temporary:
            apt = debian.Apt(place / "apt-source", [f"deb-src {_SUITE}"])
            apt.source("micropython", VERSION, Path(temporary))
            _check(Path(temporary) / _ORIG)
            os.replace(Path(temporary) / _ORIG, kept)
    _check(kept)
    return kept


def _check(file: Path) -> None:
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise BuildFailed(f"{file.name}: {error}") from error
    if found != _ORIG_SHA256:
        raise BuildFailed(f"{file} has sha256 {found}, not {_ORIG_SHA256}: not the sources we reviewed")


def _mbedtls(place: Path, bits: int) -> Path:
    """Headers and static library of mbed TLS from this machine's own release, unpacked, never installed."""
    unpacked = place / f"mbedtls-{bits}"
    if not unpacked.exists():
        suite = debian.release() or _SUITE
        name, architectures = ("libmbedtls-dev:i386", ["amd64", "i386"]) if bits == 32 else ("libmbedtls-dev", [])
        with tempfile.TemporaryDirectory(dir=place, prefix="download-") as temporary:
            apt = debian.Apt(place / f"apt-binary-{bits}", [f"deb {suite}"], architectures)
            apt.unpack([name], Path(temporary) / "mbedtls")
            os.replace(Path(temporary) / "mbedtls", unpacked)
    return unpacked
