#!/bin/sh
# One broker that is its own controller. The image's own wrapper writes its settings under /opt, which
# is read-only here.
set -eu
settings=/etc/weft/server.properties
if [ ! -e /var/lib/kafka/data/meta.properties ]; then
    cluster=$(/opt/kafka/bin/kafka-storage.sh random-uuid)
    /opt/kafka/bin/kafka-storage.sh format --standalone --cluster-id "$cluster" --config "$settings"
fi
exec /opt/kafka/bin/kafka-server-start.sh "$settings"
