// Sends a list of domains and prints its progress until it has ended: node batch.mjs LIST.csv
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

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

/** The lines of a body as they come. */
async function* lines(body) {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop();
    yield* parts;
  }
}

// With an Idempotency-Key the request can be retried if there was no response: it has no further effect.
const request = {
  method: "POST",
  headers: { "Content-Type": "text/csv", "Idempotency-Key": randomUUID() },
  body: await readFile(process.argv[2]),
};
let batch = await (await send("/api/v4/batches", request)).json();
console.log("batch", batch.batch_id);
for (const { line, error } of batch.rejected) console.log(`line ${line}: ${error}`);

// In a page of the service an EventSource does this by itself; it cannot send a key.
let last = "0";
for (let ended = false; !ended; ) {
  try {
    const events = await send(batch.links.self + "/events", { headers: { "Last-Event-ID": last } });
    ended = events.status === 204; // the batch has ended, and there are no more events
    for await (const line of ended ? [] : lines(events.body)) {
      if (!line.startsWith("data: ")) continue;
      const event = JSON.parse(line.slice("data: ".length));
      last = String(event.position);
      console.log(last, event.type, event.stream.id);
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error("The connection was closed; continuing after event", last); // fetch reports it as a TypeError
    await pause(1000);
  }
}
// The state of the batch at this log position.
batch = await (await send(`${batch.links.self}?at_least=${last}`)).json();
console.log(`${batch.status}: ${batch.completed} completed, ${batch.failed} failed`);
