"""What Schemathesis cannot do by itself: send NDJSON and workbooks, which it is given as text."""

import schemathesis

for media_type in ("application/x-ndjson", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"):
    schemathesis.serializer.alias(media_type, "text/plain")
