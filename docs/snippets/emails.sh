#!/bin/sh
# Lists the email addresses of all domains, one per line after its domain: emails.sh
set -eu
response=$(mktemp)
trap 'rm -f "$response"' EXIT
curl -sS --fail-with-body -o "$response" "$SITELOG_URL/api/v4/domains?has_email=true&format=ndjson" \
    -H "Authorization: Bearer $SITELOG_KEY" || { cat "$response" >&2; exit 1; }
jq -r '.domain as $domain | .email_addresses[] | [$domain, .] | @tsv' "$response"
