#!/bin/sh
# Saves the results of a batch, with the columns that were sent with each domain: export.sh BATCH FILE.csv
set -eu
# Also ndjson and xlsx. An incomplete download must not look complete, so the file is renamed at the end.
curl -sS --fail-with-body -o "$2.part" "$SITELOG_URL/api/v4/batches/$1/domains?format=csv" \
    -H "Authorization: Bearer $SITELOG_KEY" || { cat "$2.part" >&2; exit 1; }
mv "$2.part" "$2"
echo "saved $2"
