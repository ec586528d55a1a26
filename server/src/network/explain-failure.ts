import { TransportError, type TransportFailure } from "./transport-error.ts";

/** What went wrong with a call, in words for an operator; the reason of an aborted signal stays as it is. */
export function explainFailure(error: NodeJS.ErrnoException, url: URL, signal: AbortSignal | undefined): unknown {
  if (error instanceof TransportError) return error;
  if (signal?.aborted === true) return signal.reason;
  const code = error.code ?? "";
  const [reason, what] = meaningOf(code);
  return new TransportError(reason, `${url.host} ${what}${code === "" ? "" : ` (${code})`}.`, error);
}

function meaningOf(code: string): readonly [TransportFailure, string] {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return ["unreachable", "has a name that cannot be resolved"];
  if (code === "ECONNREFUSED") return ["unreachable", "does not accept connections"];
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) return ["untrusted", "does not speak TLS as it should"];
  if (code.includes("CERT") || code.startsWith("UNABLE_TO_") || code.startsWith("ERR_TLS")) {
    return ["untrusted", "has a certificate that is not trusted"];
  }
  if (code.startsWith("HPE_") || code.startsWith("ERR_HTTP")) return ["unreadable", "did not answer in HTTP"];
  if (code === "ETIMEDOUT") return ["timed_out", "could not be connected to in time"];
  return ["unreachable", "cannot be reached or hung up"];
}
