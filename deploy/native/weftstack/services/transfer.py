"""Two servers that files are fetched from: OpenSSH with nothing but SFTP, and vsftpd with TLS."""

from __future__ import annotations

import getpass
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from weftstack import packages
from weftstack.halt import Halt
from weftstack.place import Place, write_private
from weftstack.services.base import HOST, Service, Start, exchange

_SSHD = """\
Port {port}
ListenAddress {host}
HostKey {folder}/host
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin prohibit-password
AllowTcpForwarding no
X11Forwarding no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
"""

_VSFTPD = """\
listen=YES
listen_address={host}
listen_port={port}
background=NO
anonymous_enable=YES
local_enable=NO
no_anon_password=NO
anon_root={root}
anon_upload_enable=YES
anon_umask=022
write_enable=YES
secure_chroot_dir={empty}
seccomp_sandbox=NO
pasv_min_port={first}
pasv_max_port={last}
mdtm_write=NO
ssl_enable=YES
allow_anon_ssl=YES
force_anon_data_ssl=NO
force_anon_logins_ssl=NO
require_ssl_reuse=YES
rsa_cert_file={folder}/cert.pem
rsa_private_key_file={folder}/key.pem
implicit_ssl={implicit}
"""


class Sftp(Service):
    """The data are `files/`; who may come in has the key `client`."""

    name = "sftp"
    ports = {"main": 19}

    def install(self, place: Place) -> None:
        packages.ensure(
            place, {"sshd": "openssh-server", "ssh-keygen": "openssh-client"}, "the SFTP server"
        )

    def prepare(self, place: Place) -> Start:
        folder = self.folder(place)
        (folder / "files").mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it parts with its rights
        for name in ("host", "client"):
            if not (folder / name).exists():
                run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "weft-stack",
                      "-f", str(folder / name)])  # fmt: skip
        shutil.copyfile(folder / "client.pub", folder / "authorized_keys")
        words = {"port": self.port(place), "host": HOST, "folder": _bare(folder)}
        write_private(folder / "sshd_config", _SSHD.format(**words))
        return Start([_program("sshd"), "-D", "-e", "-f", folder / "sshd_config"])

    def ready(self, place: Place) -> bool:
        return exchange(self.port(place), b"", 64).startswith(b"SSH-2.0")

    def url(self, place: Place) -> str:
        at = f"{getpass.getuser()}@{HOST}:{self.port(place)}"
        return f"sftp://{at}{self.folder(place) / 'files'}"


class Vsftpd(Service):
    """Anybody reads and writes in `root/in`; TLS where the client asks for it."""

    name = "vsftpd"
    ports = {"main": 45, "data": 46}  # and 47: its data connections
    implicit = False

    def install(self, place: Place) -> None:
        packages.ensure(place, {"vsftpd": "vsftpd", "openssl": "openssl"}, "the FTP server")

    def prepare(self, place: Place) -> Start:
        if os.geteuid() != 0:
            raise Halt("vsftpd gives up its rights itself and has to be started by root")
        folder = self.folder(place)
        inbox = folder / "root" / "in"
        inbox.mkdir(parents=True, exist_ok=True)
        (folder / "empty").mkdir(exist_ok=True)
        for each in (folder, folder / "root", folder / "empty"):
            each.chmod(0o755)
        shutil.chown(inbox, "ftp")
        if not (folder / "cert.pem").exists():
            names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
            run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                  "-subj", "/CN=localhost", "-addext", names, "-keyout", str(folder / "key.pem"),
                  "-out", str(folder / "cert.pem")])  # fmt: skip
        first = self.port(place, "data")
        settings = folder / "vsftpd.conf"
        settings.write_text(_VSFTPD.format(
            host=HOST, port=self.port(place), root=folder / "root", empty=folder / "empty",
            first=first, last=first + 1, folder=folder,
            implicit="YES" if self.implicit else "NO",
        ))  # fmt: skip
        return Start([_program("vsftpd"), settings])

    def ready(self, place: Place) -> bool:
        return exchange(self.port(place), b"", 4).startswith(b"220")

    def url(self, place: Place) -> str:
        return f"ftp://anonymous@{HOST}:{self.port(place)}/in"


class VsftpdImplicit(Vsftpd):
    """The same, but TLS is spoken from the first byte on."""

    name = "vsftpds"
    ports = {"main": 48, "data": 53}  # and 54
    implicit = True

    def ready(self, place: Place) -> bool:
        try:
            with socket.create_connection((HOST, self.port(place)), timeout=2):
                return True
        except OSError:
            return False

    def url(self, place: Place) -> str:
        return f"ftps://anonymous@{HOST}:{self.port(place)}/in"


def _program(name: str) -> Path:
    found = packages.which(name)
    if found is None:
        raise Halt(f"{name} is missing. Type: deploy/native/stack install {name}")
    return found


def _bare(folder: Path) -> Path:
    """sshd takes no folder with a blank in its name: it gets a link to it then."""
    if not any(c.isspace() for c in str(folder)):
        return folder
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    link = Path(tempfile.gettempdir()) / f"weft-sshd-{os.getuid()}-{digest}"
    if not link.is_symlink():
        link.symlink_to(folder)
    if link.readlink() != folder or link.lstat().st_uid != os.getuid():
        raise Halt(f"{link} is not ours. Remove it, then type this again")
    return link


def run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Halt(f"{argv[0]}: {done.stderr.strip()[-300:]}")
