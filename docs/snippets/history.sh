#!/bin/sh
# Prints what changed in a domain, newest first: history.sh DOMAIN
set -eu
changes=$(curl -sS --fail-with-body "$SITELOG_URL/api/v4/domains/$1/history?limit=1000" \
    -H "Authorization: Bearer $SITELOG_KEY") || { echo "$changes" >&2; exit 1; }
printf '%s\n' "$changes" | jq -r '.items[] | "\(.at) \(.field): \(.old | tojson) -> \(.new | tojson) (scan \(.scan_id))"'
