#!/bin/sh
# Makes every secret of docker-compose.yml, once: `sh deploy/compose/secrets.sh`. What exists is kept.
# BLOBS=minio chooses MinIO as the object store instead of SeaweedFS; PROFILE=full the large set-up.
#
# The folder is its owner's only; the files in it are readable by all, because Compose mounts each
# file as it is and every service reads it as another user. Keep a copy of `root_key` elsewhere:
# without it no stored object can be read again.
set -eu
cd "$(dirname "$0")/../.."
folder=${WEFT_SECRETS:-./deploy/compose/secrets}
blobs=${BLOBS:-seaweedfs}
profile=${PROFILE:-small}

stop() { printf 'weft: %s\n' "$1" >&2; exit 1; }
case $blobs in
    seaweedfs) place=seaweedfs:8333 profiles=$profile ;;
    minio) place=minio:9000 profiles=$profile,minio ;;
    *) stop "BLOBS is '$blobs'; it may be seaweedfs or minio." ;;
esac
case $profile in small | full) ;; *) stop "PROFILE is '$profile'; it may be small or full." ;; esac
[ -r /dev/urandom ] || stop "/dev/urandom is missing: there is nothing to make secrets of."

umask 077
mkdir -p "$folder"
chmod 0700 "$folder"

# keep NAME: standard input becomes the secret NAME, unless there is one.
keep() {
    if [ -s "$folder/$1" ] || { [ -e "$folder/$1" ] && [ "$1" = smtp_url ]; }; then
        cat >/dev/null
        return
    fi
    cat >"$folder/$1.part"
    chmod 0444 "$folder/$1.part"
    mv "$folder/$1.part" "$folder/$1"
}
random() { od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'; }
of() { cat "$folder/$1"; }

if [ -s "$folder/root_key" ]; then before=yes; else before=no; fi
for name in root_key postgres_password owner_password app_password redis_password blobs_password grafana_password; do
    random | keep "$name"
done
printf 'postgresql+psycopg://weft_owner:%s@postgres:5432/weft' "$(of owner_password)" | keep database_admin_url
printf 'postgresql+psycopg://weft_app:%s@postgres:5432/weft' "$(of app_password)" | keep database_url
printf 'celery+redis://:%s@redis:6379/0' "$(of redis_password)" | keep jobs_url
printf 'redis://:%s@redis:6379/1' "$(of redis_password)" | keep limits_url
printf 'requirepass %s\n' "$(of redis_password)" | keep redis.conf
printf 's3://weft:%s@%s/weft' "$(of blobs_password)" "$place" | keep blobs_url
printf weft | keep blobs_user
printf '{"identities":[{"name":"weft","credentials":[{"accessKey":"weft","secretKey":"%s"}],"actions":["Admin","Read","Write","List","Tagging"]}]}\n' \
    "$(of blobs_password)" | keep seaweedfs.json
printf '' | keep smtp_url

# Compose reads .env by itself: where the secrets are, and which profiles a bare `up` starts.
touch .env
line() { grep -q "^$1=" .env || printf '%s=%s\n' "$1" "$2" >>.env; }
line WEFT_SECRETS "$folder"
line COMPOSE_PROFILES "$profiles"

if [ "$before" = yes ]; then
    echo "weft: the secrets in $folder are kept"
else
    echo "weft: made the secrets in $folder. Keep a copy of its root_key elsewhere."
fi
echo "weft: type: docker compose up --detach --wait"
