/**
 * Why a worker was not called, or what was wrong with its answer. `address_refused`, `plain_http` and `bad_url` mean that not one byte
 * was sent.
 */
export type TransportFailure =
  | "bad_url"
  | "plain_http"
  | "address_refused"
  | "unreachable"
  | "untrusted"
  | "timed_out"
  | "redirect"
  | "too_large"
  | "unreadable";

/** A call to a worker that got no usable answer. The text is for operators: it names hosts and addresses, never a credential. */
export class TransportError extends Error {
  readonly reason: TransportFailure;

  constructor(reason: TransportFailure, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = "TransportError";
    this.reason = reason;
  }
}
