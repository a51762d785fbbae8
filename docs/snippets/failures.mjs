// Prints why scans of a batch failed: node failures.mjs BATCH
const { SITELOG_URL, SITELOG_KEY } = process.env;

/** Sends a request and returns the response. */
async function send(path, { headers, ...options } = {}) {
  const response = await fetch(SITELOG_URL + path, {
    ...options,
    headers: { Authorization: `Bearer ${SITELOG_KEY}`, ...headers },
  });
  if (!response.ok) throw new Error(await response.text()); // a problem (RFC 9457): `code` says what is wrong
  return response;
}

const path = "/api/v4/batches/" + process.argv[2];
const batch = await (await send(path)).json();
for (const [reason, count] of Object.entries(batch.failures)) {
  console.log(`${count} ${reason}: see ${SITELOG_URL}/docs/problems/${reason}`);
}
const query = new URLSearchParams({ status: "failed", limit: "1000" });
for (let next = ""; next !== null; ) {
  const page = await (await send(`${path}/scans?${query}`)).json();
  for (const { domain, reason, error } of page.items) console.log([domain, reason, error].join("\t"));
  next = page.next;
  query.set("cursor", next);
}
