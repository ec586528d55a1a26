import type { IncomingMessage } from "node:http";
import { explainFailure } from "./explain-failure.ts";
import { TransportError } from "./transport-error.ts";

interface AnswerBounds {
  readonly url: URL;
  readonly maxBytes: number;
  /** Milliseconds that a read waits at most. */
  readonly idleMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The answer of a worker as a Response whose body ends with an error where it breaks a bound. Errors: TransportError. */
export function answerOf(incoming: IncomingMessage, bounds: AnswerBounds): Response {
  const { url, maxBytes } = bounds;
  const status = incoming.statusCode ?? 0;
  if (status >= 300 && status < 400 && status !== 304) {
    throw new TransportError("redirect", `${url.host} answered with a redirect (${status}), which is not followed.`);
  }
  if (status < 200 || status > 599)
    throw new TransportError("unreadable", `${url.host} answered the status ${status}.`);
  const encoding = incoming.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") throw new TransportError("unreadable", `${url.host} answered in packed form unasked.`);
  if (Number(incoming.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(bounds);
  const headers = new Headers();
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? "", incoming.rawHeaders[index + 1] ?? "");
  }
  if (status === 204 || status === 205 || status === 304) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  return new Response(boundedBody(incoming, bounds), { status, headers });
}

function boundedBody(incoming: IncomingMessage, bounds: AnswerBounds): ReadableStream<Uint8Array> {
  // A failure before the first read is kept by the stream and comes out with that read.
  incoming.on("error", () => undefined);
  const chunks = incoming.iterator({ destroyOnReturn: true })[Symbol.asyncIterator]() as AsyncIterator<Buffer, void>;
  let received = 0;
  const fellSilent = (): void => {
    incoming.destroy(new TransportError("timed_out", `${bounds.url.host} fell silent.`));
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const patience = setTimeout(fellSilent, bounds.idleMs);
        try {
          const next = await chunks.next();
          if (next.done === true) return controller.close();
          received += next.value.length;
          if (received > bounds.maxBytes) throw tooLarge(bounds);
          controller.enqueue(next.value);
        } catch (error) {
          incoming.destroy();
          controller.error(explainFailure(error as Error, bounds.url, bounds.signal));
        } finally {
          clearTimeout(patience);
        }
      },
      cancel: () => void incoming.destroy(),
    },
    { highWaterMark: 0 },
  );
}

function tooLarge({ url, maxBytes }: AnswerBounds): TransportError {
  return new TransportError("too_large", `${url.host} answered more than ${maxBytes} bytes.`);
}
