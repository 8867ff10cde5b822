"""Every setting, in one flat class: an environment variable `WEFT_<NAME>` or a line of `.env`."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.secret_files import SecretFiles


class Settings(BaseSettings):
    """Built once, in `ops`. The URLs choose the adapters; there is no mode flag. Each may be given
    as `WEFT_<NAME>_FILE` too, the path of a file that holds it."""

    model_config = SettingsConfigDict(env_prefix="WEFT_", env_file=".env", extra="ignore")

    inbox_dir: Path | None = Field(
        None, description="watched folders, one of each tenant by its id; default: DATA_DIR/inbox"
    )
    host: str = Field("127.0.0.1", description="address the gateway listens on")
    port: int = Field(8000, ge=0, le=65535, description="port the gateway listens on")
    data_dir: Path = Field(Path("data"), description="everything that Weft keeps")
    models_dir: Path | None = Field(None, description="weight files; default: ~/.cache/weft/models")

    database_url: str = Field(
        "", description="postgresql+psycopg://…; default: sqlite in DATA_DIR/weft.db"
    )
    database_admin_url: str = Field(
        "", description="PostgreSQL role that owns the tables; only migrations use it"
    )
    jobs_url: str = Field(
        "local:", description="doorbell for workers: local: | celery+redis://host:6379/0"
    )
    bus_url: str = Field(
        "local:",
        description="facts out and messages in: local: | kafka://host:9092 (?prefix=weft) | "
        "kafka+ssl://USER:PASSWORD@host:9093",
    )
    blobs_url: str = Field(
        "",
        description="s3://KEY:SECRET@host:9000/BUCKET (?tls=true); default: file:DATA_DIR/blobs",
        repr=False,  # it holds a secret
    )
    models_url: str = Field(
        "auto:",
        description="auto: | embedded: | ollama://host:port | huggingface:MODEL | none: (no chat)",
    )
    limits_url: str = Field(
        "local:", description="where rate limits are counted: local: | redis://host:6379/1"
    )
    limits_replicas: int = Field(
        1, ge=1, description="gateways at least: what each may allow while Redis is away"
    )
    traces_url: str = Field(
        "", description="OTLP/HTTP collector, such as http://host:4318; default: no traces"
    )
    traces_share: float = Field(
        1.0, ge=0, le=1, description="share of requests traced that bring no traceparent"
    )
    metrics_port: int = Field(
        0, ge=0, le=65535, description="also serve /metrics here, without a key; 0: do not"
    )
    metrics_host: str = Field("127.0.0.1", description="address METRICS_PORT listens on")
    smtp_url: str = Field(
        "", description="smtp://user:password@host:587; default: mails are files in DATA_DIR/outbox"
    )
    smtp_sender: str = Field("weft@localhost", description="From address of outgoing mail")

    chat_model: str = Field(
        "", description="chat model by name, or a .gguf file; default: the cheapest that passed"
    )
    embedding: str = Field("fp32", description="fp32 | int8 | sentence-transformers | ollama:MODEL")
    model_threads: int = Field(1, ge=1, description="threads of one model call")

    root_key: SecretStr = Field(
        SecretStr(""), description="64 hex digits; default: made once in DATA_DIR/root.key"
    )
    access_token_seconds: int = Field(3600, description="life of an access token")
    refresh_token_seconds: int = Field(604_800, description="life of a refresh token")
    cors_origins: str = Field("", description="comma-separated origins, none by default")
    egress_allow: str = Field("", description="private host:port list the operator allows")

    upload_bytes_max: int = Field(50 * 2**20, description="largest uploaded file, bytes")
    body_bytes_max: int = Field(2 * 2**20, description="largest other request body, bytes")
    parse_seconds_max: int = Field(30, description="time one document's parser may take")
    parse_bytes_max: int = Field(512 * 2**20, description="memory one document's parser may take")
    ocr: str = Field(
        "auto",
        description="what reads pictures: auto | tesseract | rapidocr | none | path of a tesseract",
        pattern="^(auto|tesseract|rapidocr|none|.*/.+)$",
    )
    ocr_languages: str = Field(
        "eng,deu", description="languages of scans as Tesseract names them, comma-separated"
    )
    ocr_seconds_max: int = Field(900, description="time all pictures of one document may take")
    shelf_bytes_max: int = Field(128 * 2**20, description="search indexes kept in memory")

    worker_threads: int = Field(4, ge=1, le=64, description="steps run at once in one process")
    lease_seconds: float = Field(30.0, gt=0, description="a silent worker's job is taken after")
    heartbeat_seconds: float = Field(5.0, gt=0, description="how often a worker renews its lease")
    sweep_seconds: float = Field(1.0, gt=0, description="longest wait for work that nobody rang")
    step_attempts_max: int = Field(5, ge=1, description="attempts before the dead letters")
    retry_base_seconds: float = Field(1.0, ge=0, description="first retry delay, then doubled")
    run_steps_max: int = Field(1000, description="ceiling of steps in one run")
    run_seconds_max: int = Field(86_400, description="deadline of a run")
    run_keep_seconds: int = Field(
        0, ge=0, description="an ended run without a report is deleted so long after; 0: never"
    )
    upkeep_keep_seconds: int = Field(
        30 * 86_400,
        ge=0,
        description="the same for what the platform did by itself: pulls, reading, index; 0: never",
    )
    tenant_running_max: int = Field(8, description="jobs of one tenant running at once")
    approval_seconds_max: int = Field(7 * 86_400, description="an approval expires after")
    context_seconds: int = Field(
        86_400, ge=60, description="so long a message counts as a conversation's context"
    )
    forget_seconds: int = Field(
        30 * 86_400, ge=60, description="a conversation is forgotten so long after its last message"
    )
    cache_seconds: int = Field(
        7 * 86_400, ge=0, description="age of kept answers and model replies; 0: keep none"
    )
    cache_rows_max: int = Field(500, ge=0, description="kept answers, and replies, of one tenant")
    cache_bytes_max: int = Field(
        8 * 2**20, ge=0, description="bytes of one tenant's kept answers, and of its replies"
    )
    log_level: str = Field("info", description="debug | info | warning | error")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = SecretFiles(settings_cls, env_settings, dotenv_settings)
        return init_settings, files, env_settings, dotenv_settings

    def resolved(self) -> Settings:
        """The same settings with every default that depends on `data_dir` filled in."""
        data = self.data_dir.absolute()
        return self.model_copy(
            update={
                "data_dir": data,
                "models_dir": self.models_path,
                "database_url": self.database_url or f"sqlite:///{data / 'weft.db'}",
                "blobs_url": self.blobs_url or f"file:{data / 'blobs'}",
                "smtp_url": self.smtp_url or f"file:{data / 'outbox'}",
            }
        )

    @property
    def silent_ms(self) -> int:
        """A worker that has missed three heartbeats counts as gone."""
        return int(self.heartbeat_seconds * 3000)

    @property
    def inbox_path(self) -> Path:
        return (self.inbox_dir or self.data_dir / "inbox").absolute()

    @property
    def models_path(self) -> Path:
        """Where weight files lie: one folder for every clone, so that they are fetched once."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return (self.models_dir or cache / "weft" / "models").absolute()
