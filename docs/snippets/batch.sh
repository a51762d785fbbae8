#!/bin/sh
# Sends a list of domains and prints its progress until it has ended: batch.sh LIST.csv
set -eu
response=$(curl -sS --fail-with-body "$SITELOG_URL/api/v4/batches" -H "Authorization: Bearer $SITELOG_KEY" \
    -H 'Content-Type: text/csv' --data-binary "@$1") || { echo "$response" >&2; exit 1; }
batch=$(printf '%s\n' "$response" | jq -r .batch_id)
echo "batch $batch"
# Server-sent events; the stream ends with the batch. If it ends earlier, reconnect with ?after=<the last id>.
events=$(mktemp)
trap 'rm -f "$events"' EXIT
curl -sS -N --fail-with-body "$SITELOG_URL/api/v4/batches/$batch/events" -H "Authorization: Bearer $SITELOG_KEY" |
    tee "$events"
# The state of the batch at this log position.
last=$(sed -n 's/^id: //p' "$events" | tail -n 1)
curl -sS --fail-with-body "$SITELOG_URL/api/v4/batches/$batch?at_least=$last" -H "Authorization: Bearer $SITELOG_KEY"
