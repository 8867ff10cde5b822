"""Ollama, with the small chat model that Weft's own weights bring."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from weftstack import golang, versions
from weftstack.halt import Halt
from weftstack.place import ROOT, Place
from weftstack.services.base import HOST, Service, Start, answers


class Ollama(Service):
    name = "ollama"
    ports = {"main": 13}

    def install(self, place: Place) -> None:
        golang.ollama(place)
        weights()

    def prepare(self, place: Place) -> Start:
        folder = self.folder(place)
        (folder / "models").mkdir(exist_ok=True)
        return Start([golang.ollama(place), "serve"], self._env(place))

    def ready(self, place: Place) -> bool:
        return answers(f"http://{HOST}:{self.port(place)}/api/version")

    def after(self, place: Place) -> None:
        tags = f"http://{HOST}:{self.port(place)}/api/tags"
        if answers(tags, text=f'"{versions.CHAT_MODEL}"'):
            return
        folder = self.folder(place)
        link = folder / "weights.gguf"  # a name without blanks, whatever the folders are called
        link.unlink(missing_ok=True)
        link.symlink_to(weights())
        (folder / "Modelfile").write_text("FROM ./weights.gguf\n")
        done = subprocess.run(
            [golang.ollama(place), "create", versions.CHAT_MODEL, "-f", "Modelfile"],
            cwd=folder, env={**self.environment(place), **self._env(place)},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        if done.returncode != 0 or not answers(tags, text=f'"{versions.CHAT_MODEL}"'):
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Halt(f"ollama: the model {versions.CHAT_MODEL} was not taken: {reason}")

    def urls(self, place: Place) -> dict[str, str]:
        return {"WEFT_MODELS_URL": f"ollama://{HOST}:{self.port(place)}"}

    def _env(self, place: Place) -> dict[str, str]:
        return {
            "OLLAMA_HOST": f"{HOST}:{self.port(place)}",
            "OLLAMA_MODELS": str(self.folder(place) / "models"),
            "OLLAMA_NUM_PARALLEL": "1",
            "OLLAMA_NO_CLOUD": "1",
        }


def weights() -> Path:
    """The file that `weft models pull` verified and keeps."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weft" / "models"
    path = Path(os.environ.get("WEFT_MODELS_DIR") or cache).absolute() / versions.CHAT_WEIGHTS
    weft = ROOT / ".venv" / "bin" / "weft"
    if not path.exists() and weft.exists():
        subprocess.run([weft, "models", "pull", "--if-missing"], cwd=ROOT, timeout=900)
    if not path.exists():
        raise Halt(f"ollama needs the weights {path.name}. Type: make setup")
    return path
