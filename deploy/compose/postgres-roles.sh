#!/bin/sh
# Run once, by the PostgreSQL image, when the volume is empty. `weft_owner` owns the tables and may not
# make roles; `weft_app` is what Weft signs in as: it owns nothing and inherits nothing, and takes
# `weft_tenant` or `weft_platform` for each transaction. None of them passes by row-level security.
set -eu
psql -X -q -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set owner `cat /run/secrets/owner_password`
\set app `cat /run/secrets/app_password`
CREATE ROLE weft_tenant NOLOGIN;
CREATE ROLE weft_platform NOLOGIN;
CREATE ROLE weft_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner';
CREATE ROLE weft_app LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app';
GRANT weft_tenant, weft_platform TO weft_app;
CREATE DATABASE weft OWNER weft_owner;
SQL
