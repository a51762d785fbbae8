// Saves the results of a batch, with the columns that were sent with each domain: node export.mjs BATCH FILE.csv
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
// Also ndjson and xlsx. An incomplete download must not look complete, so the file is renamed at the end.
const answer = await ask(`/api/v4/batches/${batch}/domains?format=csv`);
await writeFile(name + ".part", answer.body);
await rename(name + ".part", name);
console.log("saved", name);
