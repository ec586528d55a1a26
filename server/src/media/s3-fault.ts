/** What goes wrong with an S3 server, in words that hold no key and no text of the server. */
import { SafelightError } from "../errors.ts";

/**
 * `unreachable`: no answer, or one that says "not now"; it may pass by itself. The others are settings or permissions and stay until
 * somebody changes them.
 */
export type S3FaultKind = "unreachable" | "no-bucket" | "denied" | "wrong-key" | "no-key" | "elsewhere" | "refused";

/** A failure of the S3 server. The message is for operators: what it answered, by its code. */
export class S3Fault extends Error {
  override readonly name = "S3Fault";
  readonly kind: S3FaultKind;
  /** The code of the server or of the connection, such as `AccessDenied` or `ECONNREFUSED`. */
  readonly code: string;

  constructor(kind: S3FaultKind, code: string) {
    super(`${sentences[kind]} (${code})`);
    this.kind = kind;
    this.code = code;
  }

  /** True where asking again may help. */
  get passes(): boolean {
    return this.kind === "unreachable";
  }
}

const sentences: Readonly<Record<S3FaultKind, string>> = {
  unreachable: "it does not answer as it should",
  "no-bucket": "there is no such bucket",
  denied: "it does not allow this",
  "wrong-key": "it does not accept the credentials",
  "no-key": "no credentials were found",
  elsewhere: "the bucket is in another region, or answers at another address",
  refused: "it refuses the request",
};

/** An object that is not there; whether its bucket is, is another question. */
export class S3Missing extends Error {
  override readonly name = "S3Missing";
}

/** The part that was asked for begins behind the end of the object. */
export class S3BeyondEnd extends Error {
  override readonly name = "S3BeyondEnd";
}

const wrongKeys = new Set([
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "InvalidToken",
  "ExpiredToken",
  "TokenRefreshRequired",
  "InvalidSecurity",
]);
const elsewhereCodes = new Set([
  "PermanentRedirect",
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
]);
// Answers of the 400s that tell of this one try: cut off or damaged on its way, too slow, a clock that is being put right.
const passing = new Set([
  "RequestTimeout",
  "RequestTimeTooSkewed",
  "BadDigest",
  "XAmzContentSHA256Mismatch",
  "IncompleteBody",
  "SlowDown",
  "Throttling",
  "OperationAborted",
]);

/** What an error of the SDK means. Everything of it that could hold a key or a text of the server is left behind. */
export function explainS3(error: unknown): S3Fault | S3Missing | S3BeyondEnd {
  if (error instanceof S3Fault || error instanceof S3Missing || error instanceof S3BeyondEnd) return error;
  const { name, code, $metadata } = (error ?? {}) as {
    name?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode ?? 0;
  const plain = [code, name].find((text) => typeof text === "string" && text !== "Error" && /^[\w.]{1,60}$/.test(text));
  const said = typeof plain === "string" && plain !== "UnknownError" ? plain.replace("AbortError", "TimeoutError") : "";
  const label = said || (status === 0 ? "no answer" : String(status));
  if (said === "CredentialsProviderError") return new S3Fault("no-key", said);
  if (said === "NoSuchBucket") return new S3Fault("no-bucket", said);
  if (wrongKeys.has(said)) return new S3Fault("wrong-key", said);
  if (elsewhereCodes.has(said) || status === 301 || status === 307) return new S3Fault("elsewhere", label);
  if (status === 0 || status >= 500 || status === 408 || status === 429 || passing.has(said)) {
    return new S3Fault(status === 501 ? "refused" : "unreachable", label);
  }
  if (status === 404) return new S3Missing(label);
  if (status === 416) return new S3BeyondEnd(label);
  // 2xx: an answer that could not be read.
  if (status < 300) return new S3Fault("unreachable", label);
  return new S3Fault(status === 401 || status === 403 || status === 405 ? "denied" : "refused", label);
}

/** What a caller is told; operators find the fault in the log, in /admin/health and by the doctor. */
export function storageUnavailable(fault: unknown): SafelightError {
  return new SafelightError("storage_unavailable", "The server cannot use its media storage at the moment.", {
    retryAfter: 5,
    cause: fault,
  });
}
