"""Kafka: one broker that is its own controller; in the clear, and by TLS with a password."""

from __future__ import annotations

import base64
import shutil
import struct
import subprocess
import uuid
from pathlib import Path

from weftstack import maven, packages
from weftstack.building import cause
from weftstack.halt import Halt
from weftstack.place import Place, write_private
from weftstack.services.base import HOST, Service, Start, exchange
from weftstack.services.transfer import run

# Without the delay of 0 a group's first join waits three seconds for others.
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{control}
listeners=PLAINTEXT://{host}:{port},SASL_SSL://{host}:{tls},CONTROLLER://{host}:{control}
advertised.listeners=PLAINTEXT://{host}:{port},SASL_SSL://localhost:{tls}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=\
 org.apache.kafka.common.security.plain.PlainLoginModule required user_weft="{password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=\
 org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
 org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={pair}
controller.listener.names=CONTROLLER
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.partitions=3
auto.create.topics.enable=false
"""
HEAP = ("-Xms128m", "-Xmx384m")
QUIET = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
         "-Dorg.slf4j.simpleLogger.showDateTime=true",
         "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ")  # fmt: skip
# "Which versions do you speak", the question that every Kafka answers: key 18, version 0, id 7.
QUESTION = struct.pack(">hhih", 18, 0, 7, -1)


class Kafka(Service):
    name = "kafka"
    ports = {"main": 2, "controller": 3, "tls": 56}
    start_seconds = 90.0
    stop_seconds = 30.0

    def install(self, place: Place) -> None:
        packages.ensure(place, {"openssl": "openssl"}, "Kafka's certificate")
        maven.kafka(place)

    def prepare(self, place: Place) -> Start:
        folder = self.folder(place)
        data, settings = folder / "data", folder / "server.properties"
        ports = {"port": self.port(place), "control": self.port(place, "controller"),
                 "tls": self.port(place, "tls"), "password": place.secret("kafka"),
                 "pair": self._pair(folder)}  # fmt: skip
        # A blank in a path is fine here, a backslash or a comma is not.
        settings.write_text(SETTINGS.format(host=HOST, data=data, **ports))
        if not (data / "meta.properties").exists():
            shutil.rmtree(data, ignore_errors=True)
            self._format(place)
        return Start([*self._program(place), "kafka.Kafka", settings])

    def ready(self, place: Place) -> bool:
        sent = struct.pack(">i", len(QUESTION)) + QUESTION
        answer = exchange(self.port(place), sent, 64)
        return len(answer) >= 10 and struct.unpack(">ih", answer[4:10]) == (7, 0)

    def after(self, place: Place) -> None:
        """The person who signs in by SCRAM, also in a folder from before there was one."""
        known = self.folder(place) / "data" / "people"
        if known.exists():
            return
        for bits in (256, 512):  # Kafka takes one at a time
            self._tool(
                place, "kafka.admin.ConfigCommand", f"--bootstrap-server={HOST}:{self.port(place)}",
                "--alter", f"--add-config=SCRAM-SHA-{bits}=[password={place.secret('kafka')}]",
                "--entity-type=users", "--entity-name=weft",
            )  # fmt: skip
        known.touch()

    def urls(self, place: Place) -> dict[str, str]:
        return {"WEFT_BUS_URL": f"kafka://{HOST}:{self.port(place)}"}

    @staticmethod
    def _pair(folder: Path) -> Path:
        """Key and certificate, made by its own authority, whose certificate is `ca.pem`."""
        pair, authority = folder / "pair.pem", folder / "ca.pem"
        if not pair.exists():
            names = "subjectAltName=DNS:localhost"
            run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
                 "-subj", "/CN=Weft stack", "-keyout", str(folder / "ca.key"),
                 "-out", str(authority)])  # fmt: skip
            run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
                 "-subj", "/CN=localhost", "-addext", names, "-addext", "basicConstraints=CA:FALSE",
                 "-CA", str(authority), "-CAkey", str(folder / "ca.key"),
                 "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")])  # fmt: skip
            parts = [(folder / name).read_text() for name in ("key.pem", "cert.pem", "ca.pem")]
            write_private(pair, "".join(parts))
        return pair

    def _format(self, place: Place) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        settings = self.folder(place) / "server.properties"
        self._tool(place, "kafka.tools.StorageTool", "format", "--standalone",
                   f"--cluster-id={cluster}", "-c", str(settings))  # fmt: skip

    @staticmethod
    def _program(place: Place) -> list[str | Path]:
        java = packages.which("java")
        assert java
        return [java, *HEAP, *QUIET, "-cp", f"{maven.kafka(place)}/*"]

    def _tool(self, place: Place, *words: str) -> None:
        log = place.log(self.name)
        argv = [str(part) for part in (*self._program(place), *words)]
        with log.open("ab") as output:
            done = subprocess.run(argv, stdout=output, stderr=output, timeout=120)
        if done.returncode != 0:
            raise Halt(f"kafka: {words[0]} failed: {cause(log)}")
