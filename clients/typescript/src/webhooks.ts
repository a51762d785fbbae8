// Checks the signatures of webhooks as Standard Webhooks says: HMAC-SHA256 over `<id>.<timestamp>.<body>`.

import { createHmac, timingSafeEqual } from "node:crypto";

import { WebhookError } from "./errors.js";

/** What a webhook says. */
export interface WebhookEvent {
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

/** Headers of a request, as the web's `Request` and as `node:http` has them. */
export type ReceivedHeaders = Headers | Record<string, string | string[] | undefined>;

/**
 * Returns the event of a webhook. Throws a WebhookError if the message is not signed with one of the secrets, or not
 * within `toleranceSeconds` of now.
 *
 * `body` is what was received, byte by byte: JSON that was read and written again has another signature. sitelog may send
 * a message twice; both have the same `webhook-id`.
 */
export function verifyWebhook(
  secrets: string | readonly string[],
  headers: ReceivedHeaders,
  body: string | Uint8Array,
  { toleranceSeconds = 300 }: { toleranceSeconds?: number } = {},
): WebhookEvent {
  const keys = (typeof secrets === "string" ? [secrets] : secrets).map(keyOf);
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => {
    const value = valueOf(headers, name);
    if (value === undefined) throw new WebhookError(`the header ${name} is missing`);
    return value;
  }) as [string, string, string];
  if (!/^[0-9]{1,12}$/.test(timestamp)) {
    throw new WebhookError("the header webhook-timestamp is not a number of seconds");
  }
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > toleranceSeconds) {
    throw new WebhookError(`the message was not signed within ${toleranceSeconds} seconds of now`);
  }
  const given = signatures.split(" ").map((text) => Buffer.from(text));
  const isSigned = keys.some((key) => {
    const hmac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
    const expected = Buffer.from(`v1,${hmac.digest("base64")}`);
    return given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
  });
  if (!isSigned) throw new WebhookError("the message is not signed with this secret, or was changed");
  return JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body)) as WebhookEvent;
}

function valueOf(headers: ReceivedHeaders, name: string): string | undefined {
  // Not `instanceof`: some frameworks bring a class of their own.
  if (typeof headers.get === "function") return (headers as Headers).get(name) ?? undefined;
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof found === "string" ? found : found?.[0];
}

function keyOf(secret: string): Buffer {
  const text = secret.trim().replace(/^whsec_/, "");
  // Anybody can sign with an empty key.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new TypeError("a secret of a webhook is whsec_ and base64, as sitelog showed it");
  }
  return Buffer.from(text, "base64");
}
