// Prints why scans of a batch failed: node failures.mjs BATCH
const { SITELOG_URL, SITELOG_KEY } = process.env;

/** A request; the answer, to be read. */
async function ask(path, { headers, ...options } = {}) {
  const answer = await fetch(SITELOG_URL + path, {
    ...options,
    headers: { Authorization: `Bearer ${SITELOG_KEY}`, ...headers },
  });
  if (!answer.ok) throw new Error(await answer.text()); // a problem (RFC 9457): `code` says what is wrong
  return answer;
}

const path = "/api/v4/batches/" + process.argv[2];
const batch = await (await ask(path)).json();
for (const [reason, count] of Object.entries(batch.failures)) {
  console.log(`${count} ${reason}: see ${SITELOG_URL}/docs/problems/${reason}`);
}
const query = new URLSearchParams({ status: "failed", limit: "1000" });
for (let next = ""; next !== null; ) {
  const page = await (await ask(`${path}/scans?${query}`)).json();
  for (const { domain, reason, error } of page.items) console.log([domain, reason, error].join("\t"));
  next = page.next;
  query.set("cursor", next);
}
