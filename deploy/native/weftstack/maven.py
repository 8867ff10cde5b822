"""Kafka's jars, by Maven, which checks each against its published sum."""

from __future__ import annotations

from pathlib import Path

from weftstack import packages, versions
from weftstack.building import program, watched
from weftstack.place import Place

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>weft</groupId><artifactId>kafka</artifactId>
<version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>{versions.KAFKA}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId>
<version>{versions.SLF4J}</version></dependency>
</dependencies></project>
"""


def kafka(place: Place) -> Path:
    """The folder of the broker's jars."""
    packages.ensure(place, {"java": "default-jre-headless"}, "Kafka")

    def build(folder: Path) -> None:
        packages.ensure(place, {"mvn": "maven"}, "fetching Kafka")
        (folder / "pom.xml").write_text(POM)
        log = place.cache / "logs" / "kafka.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")
        plugin = "org.apache.maven.plugins:maven-dependency-plugin"
        watched(
            ["mvn", "-q", "-B", "-C", "-f", folder / "pom.xml",
             f"{plugin}:{versions.MAVEN_DEPENDENCY_PLUGIN}:copy-dependencies",
             "-DincludeScope=runtime", f"-DoutputDirectory={folder / 'libs'}"],
            what=f"fetching Kafka {versions.KAFKA}", log=log, minutes=10,
            hint="Check the network (or Maven's settings.xml), then type the same again.",
        )  # fmt: skip

    return program(place, f"kafka-{versions.KAFKA}", build, free_mib=200) / "libs"
