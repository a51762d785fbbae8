// Saves the results of a batch, with the columns that were sent with each domain: node export.mjs BATCH FILE.csv
import { rename, writeFile } from "node:fs/promises";

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

const [batch, name] = process.argv.slice(2);
// Also ndjson and xlsx. An incomplete download must not look complete, so the file is renamed at the end.
const response = await send(`/api/v4/batches/${batch}/domains?format=csv`);
await writeFile(name + ".part", response.body);
await rename(name + ".part", name);
console.log("saved", name);
