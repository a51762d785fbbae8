"""What Schemathesis cannot do by itself: send NDJSON, which it is given as text."""

import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
