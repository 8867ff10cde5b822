# Weft's image: one program, whose role is its arguments (`serve`, `serve --only worker`, …).
# The tests run these steps as plain commands in a clean folder (tests/stack/test_image.py): keep paths
# relative to the working folder, and /data and /models the only others.

FROM python:3.11.15-slim-bookworm AS build
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy UV_NO_CACHE=1
COPY requirements/uv.txt requirements/default.txt requirements/
RUN python -m venv .uv \
    && .uv/bin/pip install --no-cache-dir --quiet --require-hashes --requirement requirements/uv.txt \
    && .uv/bin/uv venv --quiet .venv \
    && .uv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements/default.txt
COPY . .
# Weights are fetched into a volume at the first start; `--build-arg WEIGHTS=yes` bakes them in.
ARG WEIGHTS=no
# Compiled here: where the root is read-only nothing can be compiled later, and every start is slow.
RUN .uv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q .venv/lib core database runtime ingestion vectorstore models reports connectors workflows agents backends gateway ops examples \
    && mkdir -p weights \
    && if [ "$WEIGHTS" = yes ]; then WEFT_MODELS_DIR=weights .venv/bin/weft models pull; fi \
    && rm -rf .uv

FROM python:3.11.15-slim-bookworm
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Weft" \
      org.opencontainers.image.description="Workflow Engine For Tenants: local AI agents whose reports and answers prove themselves" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The embedded chat engine needs OpenMP; nothing else is missing in the base image.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app /app
# An empty named volume takes its owner and its content from these folders.
COPY --from=build --chown=10001:10001 /app/weights /models
RUN install -d -o 10001 -g 10001 -m 0700 /data
ENV PATH=/app/.venv/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    WEFT_HOST=0.0.0.0 WEFT_DATA_DIR=/data WEFT_MODELS_DIR=/models
USER 10001:10001
EXPOSE 8000
VOLUME ["/data", "/models"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=20s --timeout=8s --start-period=60s --retries=3 CMD ["weft", "health"]
ENTRYPOINT ["weft"]
CMD ["serve"]
