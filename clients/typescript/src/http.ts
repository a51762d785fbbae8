// Sends requests, repeats those that the server defers, and throws errors.

import { randomUUID } from "node:crypto";

import { SitelogError } from "./errors.js";

/** Statuses with which the server asks to repeat a request later. */
const DEFERRED = [429, 503];
/** If the server asks for a longer pause (seconds), that is for the caller to decide. */
const LONGEST_PAUSE = 60;

export interface Settings {
  /** How often a request is repeated at most. */
  retries: number;
  /** How long an answer may take. */
  timeoutSeconds: number;
}

/** A request failed, and there is no time left to repeat it. The cause says why. */
export class DeadlineReached extends Error {}

/** A `fetch` for which an error is an exception. It repeats nothing after the deadline (milliseconds of `performance.now`). */
export function sender({ retries, timeoutSeconds }: Settings, deadline = Infinity) {
  return async (request: Request): Promise<Response> => {
    if (["POST", "PATCH"].includes(request.method) && !request.headers.has("Idempotency-Key")) {
      // Set once, so that each repetition has the same: the server does not do the work twice.
      request.headers.set("Idempotency-Key", randomUUID());
    }
    for (let attempt = 0; ; attempt++) {
      const answer = await sendOnce(request.clone(), timeoutSeconds);
      if (answer instanceof Response) return answer;
      const wanted = answer instanceof SitelogError ? answer.retryAfter : null;
      const pause = wanted ?? Math.min(2 ** attempt, 8);
      if (attempt >= retries || pause > LONGEST_PAUSE) throw answer;
      if (performance.now() + pause * 1000 > deadline) throw new DeadlineReached(answer.message, { cause: answer });
      await sleep(pause);
    }
  };
}

/** A response, or an error after which the request may be repeated. Others are thrown. */
async function sendOnce(request: Request, timeoutSeconds: number): Promise<Response | SitelogError | TypeError> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutSeconds * 1000)]);
  let response: Response;
  try {
    response = await fetch(request, { signal });
  } catch (error) {
    // What fetch throws when a connection breaks.
    if (error instanceof TypeError) return error;
    throw error;
  }
  if (response.ok || response.status === 304) return response;
  const error = await SitelogError.of(response);
  if (DEFERRED.includes(error.status)) return error;
  throw error;
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
