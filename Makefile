.DEFAULT_GOAL := help
PYTHON = $(or $(wildcard .venv/bin/python),python3)
STACK = .venv/bin/python deploy/native/stack
# What the tests of the full stack use. Loki and Compose take minutes to build: CI_FULL=1.
SERVERS = postgres redis kafka minio seaweedfs ollama toxiproxy alertmanager prometheus dovecot sftp vsftpd tesseract $(if $(CI_FULL),loki docker-compose caddy)

.PHONY: help setup setup-dev demo up down test test-stack stack-up stack-down check bench eval torture lock clean

help: ## what can be typed
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## .venv with the locked packages, and the model files
	@sh ops/setup.sh default
	@.venv/bin/weft models pull --if-missing

setup-dev:
	@sh ops/setup.sh dev
	@.venv/bin/weft models pull --if-missing

demo: ## everything: set-up, two tenants with example data, both workflows, reports
	@sh ops/setup.sh default
	@.venv/bin/weft demo

up: setup ## start the platform on port 8000 (WEFT_PORT)
	@.venv/bin/weft up

down: ## stop it
	@test -x .venv/bin/weft && .venv/bin/weft down || true

test: setup-dev ## the default tests: no services, under five minutes
	.venv/bin/python -m pytest -n 3 --dist loadfile $(PYTEST)

test-stack: setup-dev ## the tests on real PostgreSQL, Redis, Kafka, MinIO, Ollama (no Docker)
	@$(STACK) install $(SERVERS)
	.venv/bin/python -m pytest -m stack --timeout 300 --durations 15 $(PYTEST)

stack-up: setup ## the platform on real servers, no Docker; prints its address
	@$(STACK) up --weft

stack-down: ## stop it and them
	@$(PYTHON) deploy/native/stack down

check: setup-dev ## style, types, imports
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: setup-dev ## measured beside peers in the same run; writes build/figures.jsonl
	.venv/bin/python -m benchmarks $(ONLY)

eval: setup ## grade the chat models on the bundled cases, and the answers to sixty questions
	.venv/bin/weft models eval
	.venv/bin/python -m benchmarks --goals answers

torture: setup-dev ## crash, fault and load on both worlds; writes docs/figures.md (an hour)
	@$(STACK) install $(SERVERS)
	@WEFT_TORTURE=1 .venv/bin/python -m pytest -m 'stack or not stack' --timeout 1800 \
		-p no:randomly --durations 15 tests/crash tests/flows/test_kill.py tests/torture tests/injection \
		tests/stack/test_kafka*.py tests/stack/test_objects*.py tests/stack/test_limits*.py \
		tests/stack/test_celery*.py $(PYTEST); \
		code=$$?; .venv/bin/python -m tests.torture.figures; exit $$code

lock: ## resolve the pinned packages again
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements/default.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml --group dev -o requirements/dev.txt

clean: ## forget what was built (keeps data/)
	@for each in stack stack-test; do test ! -d build/$$each || \
		WEFT_STACK_DIR=build/$$each $(PYTHON) deploy/native/stack wipe all || exit 1; done
	rm -rf .venv build .mypy_cache .ruff_cache .hypothesis
