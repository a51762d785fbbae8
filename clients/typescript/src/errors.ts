// The errors of this package.

/** The server answered with an error. `code` is stable; the server explains each at `/docs/problems`. */
export class SitelogError extends Error {
  override readonly name = "SitelogError";

  constructor(
    readonly status: number,
    /** Null if the answer is not from sitelog, but from a proxy in front of it. */
    readonly code: string | null,
    readonly detail: string,
    /** Seconds after which the server wants the request again. */
    readonly retryAfter: number | null,
    /** All fields of the answer (`application/problem+json`), for example `input` or `line`. */
    readonly problem: Record<string, unknown>,
  ) {
    super(code === null ? `${status}: ${detail}` : `${status} ${code}: ${detail}`);
  }

  /** The error of a response, whose body is read. */
  static async of(response: Response): Promise<SitelogError> {
    const answer: unknown = await response.json().catch(() => null);
    const isProblem = typeof answer === "object" && answer !== null && !Array.isArray(answer);
    const problem = isProblem ? (answer as Record<string, unknown>) : {};
    const code = typeof problem.code === "string" ? problem.code : null;
    const detail = typeof problem.detail === "string" ? problem.detail : response.statusText;
    const retryAfter = response.headers.get("Retry-After") ?? "";
    const seconds = /^[0-9]+$/.test(retryAfter) ? Number(retryAfter) : null;
    return new SitelogError(response.status, code, detail, seconds, problem);
  }
}

/** A scan or batch did not end in time. It continues on the server; `id` is its id, if the server has answered. */
export class WaitTimeoutError extends Error {
  override readonly name = "WaitTimeoutError";

  constructor(
    message: string,
    readonly id: string | null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A message is not from sitelog, was changed, or is too old. */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
}
