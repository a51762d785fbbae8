#!/bin/sh
# Prints why scans of a batch failed, as CSV: failures.sh BATCH
set -eu
# `reason` is a stable code, explained at /docs/problems/<reason>; `error` is the message.
curl -sS --fail-with-body "$SITELOG_URL/api/v4/batches/$1/scans?status=failed&format=csv" \
    -H "Authorization: Bearer $SITELOG_KEY"
