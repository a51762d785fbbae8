// Saves the results of a batch, each beside the columns that were sent with its domain: node export.mjs BATCH FILE.csv
import { rename, writeFile } from "node:fs/promises";

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

const [batch, name] = process.argv.slice(2);
// Also ndjson and xlsx. A file that broke off is no result, so it gets its name at the end.
const answer = await ask(`/api/v4/batches/${batch}/domains?format=csv`);
await writeFile(name + ".part", answer.body);
await rename(name + ".part", name);
console.log("saved", name);
