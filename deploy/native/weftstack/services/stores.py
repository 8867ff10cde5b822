"""Two object stores with one protocol: MinIO, and SeaweedFS, which must do as well."""

from __future__ import annotations

import json

from weftstack import golang, versions, wheels
from weftstack.place import Place, write_private
from weftstack.services.base import HOST, Service, Start, answers

BUCKET = "weft"  # made by Weft itself


class Minio(Service):
    name = "minio"
    ports = {"main": 4}

    def install(self, place: Place) -> None:
        golang.installed(place, "minio", versions.MINIO, "github.com/minio/minio", 25)

    def prepare(self, place: Place) -> Start:
        program = golang.installed(place, "minio", versions.MINIO, "github.com/minio/minio", 25)
        at = f"{HOST}:{self.port(place)}"
        env = {
            "MINIO_ROOT_USER": place.secret("s3.key"),
            "MINIO_ROOT_PASSWORD": place.secret("s3.secret"),
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        }
        return Start([program, "server", self.folder(place) / "data", "--address", at], env)

    def ready(self, place: Place) -> bool:
        return answers(f"http://{HOST}:{self.port(place)}/minio/health/ready")

    def urls(self, place: Place) -> dict[str, str]:
        return _urls(place, self.port(place))


class Seaweedfs(Service):
    name = "seaweedfs"
    stop_seconds = 25.0  # its filer waits 15 s for itself
    ports = {
        "main": 5, "master": 6, "volume": 7, "filer": 8,
        "s3.grpc": 9, "master.grpc": 10, "volume.grpc": 11, "filer.grpc": 12,
    }  # fmt: skip

    def install(self, place: Place) -> None:
        wheels.seaweedfs(place)

    def prepare(self, place: Place) -> Start:
        folder = self.folder(place)
        (folder / "data").mkdir(parents=True, exist_ok=True)
        keys = [{"accessKey": place.secret("s3.key"), "secretKey": place.secret("s3.secret")}]
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": "weft", "credentials": keys, "actions": actions}
        write_private(folder / "s3.json", json.dumps({"identities": [identity]}))
        ports = {("s3" if each == "main" else each): each for each in self.ports}
        return Start([
            wheels.seaweedfs(place), "server", f"-ip={HOST}", f"-ip.bind={HOST}",
            f"-dir={folder / 'data'}", "-s3", f"-s3.config={folder / 's3.json'}", "-volume.max=20",
            "-master.volumeSizeLimitMB=64", "-master.telemetry=false",
            "-master.electionTimeout=1s", "-s3.iam=false",
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.preStopSeconds=0",
            *(f"-{_option(name)}={self.port(place, each)}" for name, each in ports.items()),
        ])  # fmt: skip

    def ready(self, place: Place) -> bool:
        return answers(f"http://{HOST}:{self.port(place)}/status")

    def urls(self, place: Place) -> dict[str, str]:
        return _urls(place, self.port(place))


def _option(name: str) -> str:
    head, _, grpc = name.partition(".")
    return f"{head}.port.grpc" if grpc else f"{head}.port"


def _urls(place: Place, port: int) -> dict[str, str]:
    keys = f"{place.secret('s3.key')}:{place.secret('s3.secret')}"
    return {"WEFT_BLOBS_URL": f"s3://{keys}@{HOST}:{port}/{BUCKET}"}
