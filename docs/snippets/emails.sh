#!/bin/sh
# Lists the e-mail addresses of all domains, one per line after its domain: emails.sh
set -eu
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
curl -sS --fail-with-body -o "$answer" "$SITELOG_URL/api/v4/domains?has_email=true&format=ndjson" \
    -H "Authorization: Bearer $SITELOG_KEY" || { cat "$answer" >&2; exit 1; }
jq -r '.domain as $domain | .email_addresses[] | [$domain, .] | @tsv' "$answer"
