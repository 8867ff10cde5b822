"""Every version that is not Debian's, in one table, with digests where no other wall gives them.

Go programs are checked by Go's checksum database, Kafka's jars by Maven's sums.
"""

from __future__ import annotations

KAFKA = "4.1.2"
SLF4J = "1.7.36"  # what Kafka's jars are compiled against; brings its log to the console
MAVEN_DEPENDENCY_PLUGIN = "3.8.1"

MINIO = "v0.0.0-20260212201848-7aac2a2c5b7c"  # the last commit before the repository was archived
OLLAMA = "v0.17.4"
TOXIPROXY = "v2.12.0"
LOKI = "v3.7.8"
COMPOSE = "v2.40.3"
CADDY = "v2.11.4"  # the image of docker-compose.yml
MALGO = "v0.11.23"  # carries miniaudio.h, which Ollama's module leaves out

SEAWEEDFS = "4.48"
SEAWEEDFS_SHA256 = (
    "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",  # x86_64
    "342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296",  # aarch64
)
GO = "1.27.3"
GO_SHA256 = ("ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",)  # x86_64
GO_OLDEST = (1, 21)  # from here on Go fetches the newer toolchain that a program asks for

CHAT_MODEL = "smollm2:135m"
CHAT_WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"  # of models/models.toml
