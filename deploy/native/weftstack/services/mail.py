"""Dovecot: mail boxes by IMAP and POP3, in the clear or with STARTTLS, and by IMAP with TLS; by a
password, or by an OAuth token that whoever listens at the port `oauth` says is good (RFC 7662)."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from weftstack import packages
from weftstack.halt import Halt
from weftstack.place import Place, write_private
from weftstack.services.base import HOST, Service, Start, exchange

USER = "invoices@example.test"
# Every name signs in with the one password and has a mail box of its own.
SETTINGS = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap pop3
listen = {host}
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
first_valid_uid = 1
auth_failure_delay = 0
mail_fsync = never
mail_max_userip_connections = 50
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
mail_location = maildir:{folder}/mail/%u
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={word}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  {jail}
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  {jail}
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service anvil {{
  {jail}
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  {jail}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""

TOKENS = """\
introspection_mode = post
introspection_url = http://{host}:{oauth}/introspect
username_attribute = email
active_attribute = active
active_value = true
"""


class Dovecot(Service):
    name = "dovecot"
    ports = {"main": 50, "pop3": 51, "imaps": 52, "oauth": 54}

    def install(self, place: Place) -> None:
        wanted = {
            "dovecot": "dovecot-core", "/usr/lib/dovecot/imap": "dovecot-imapd",
            "/usr/lib/dovecot/pop3": "dovecot-pop3d", "openssl": "openssl",
        }  # fmt: skip
        packages.ensure(place, wanted, "Dovecot")

    def prepare(self, place: Place) -> Start:
        folder, program = self._data(place), packages.which("dovecot")
        assert program
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        (folder / "mail").mkdir(exist_ok=True)
        root, own = os.geteuid() == 0, pwd.getpwuid(os.geteuid())
        owner = pwd.getpwnam("nobody") if root else own
        shutil.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
        _certificate(folder)
        words = {
            "folder": folder, "host": HOST, "word": place.secret("dovecot"),
            "imap": self.port(place),
            "pop3": self.port(place, "pop3"), "imaps": self.port(place, "imaps"),
            "oauth": self.port(place, "oauth"),
            "uid": owner.pw_uid, "gid": owner.pw_gid,
            "internal": "dovecot" if root else own.pw_name,
            "internal_group": "dovecot" if root else str(own.pw_gid),
            "login": "dovenull" if root else own.pw_name,
            "jail": "" if root else "chroot =",
        }  # fmt: skip
        write_private(folder / "dovecot.conf", SETTINGS.format(**words))
        write_private(folder / "oauth2.conf", TOKENS.format(**words))
        return Start([program, "-F", "-c", folder / "dovecot.conf"])

    def ready(self, place: Place) -> bool:
        return exchange(self.port(place), b"", 64).startswith(b"* OK")

    def url(self, place: Place) -> str:
        name = USER.replace("@", "%40")
        return f"imap://{name}:{place.secret('dovecot')}@{HOST}:{self.port(place)}"

    def outside(self, place: Place) -> list[Path]:
        data = self._data(place)
        return [] if data.is_relative_to(place.state) else [data]

    def _data(self, place: Place) -> Path:
        if os.geteuid() == 0:
            return Path("/var/lib/weft-stack") / place.mark / self.name
        return self.folder(place)


def _certificate(folder: Path) -> None:
    """Good for `localhost` alone, made once; whoever is to trust it is given the file."""
    if (folder / "certificate.pem").exists():
        return
    write_private(folder / "key.pem", "")
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.new"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if done.returncode != 0:
        raise Halt(f"dovecot: no certificate could be made: {done.stderr.strip()[-200:]}")
    (folder / "certificate.new").rename(folder / "certificate.pem")
