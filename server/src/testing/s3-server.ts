/**
 * A real S3 server on loopback, with a front that adds what it leaves out and can be told to misbehave. The server itself checks neither
 * signatures nor bodies, answers before an object is written, mixes two that are written at once, cannot end an upload and lists one page
 * only: the front checks signatures and hashes, passes only whole bodies on and one change after the other, waits until it is done, ends
 * and lists what the server does not, and refuses the headers of checksums that many servers do not know.
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTurnstile } from "../media/turnstile.ts";
import { judgeSignature } from "./s3-signature.ts";

export interface S3Request {
  readonly method: string;
  /** Inside the bucket, without a leading slash; empty for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
}

/** What may go wrong with one request. */
export type S3Misdeed =
  /** Refused with this status and code. */
  | { readonly status: number; readonly code: string }
  /** Done, and the answer lost. */
  | { readonly lose: true }
  /** Never answered. */
  | { readonly hang: true }
  /** The connection is closed before the body has come. */
  | { readonly cutRequest: true }
  /** The answer's body, cut off after so many bytes. */
  | { readonly cutAfter: number }
  /** The answer's body, in pieces with a pause between them. */
  | { readonly pieces: number; readonly pauseMs: number }
  /** The answer announces so many bytes more (or fewer) than it has. */
  | { readonly lengthOff: number }
  /** One byte of the request's body changes on its way. */
  | { readonly damage: true };

export interface S3Server {
  readonly url: string;
  readonly bucket: string;
  /** Folder with the server's data. */
  readonly folder: string;
  /** What a gateway needs to be told. */
  readonly environment: {
    readonly MEDIA_URL: string;
    readonly AWS_ACCESS_KEY_ID: string;
    readonly AWS_SECRET_ACCESS_KEY: string;
  };
  /** Everything that was asked for, in its order. */
  readonly requests: S3Request[];
  /** Asked about every request from now on; null lets all be. */
  meddle(choose: ((request: S3Request) => S3Misdeed | null) | null): void;
  /** Keys in the bucket, sorted. */
  objects(): Promise<string[]>;
  /** Keys of uploads in parts that were begun and not ended. */
  unfinished(): Promise<string[]>;
  removeBucket(): Promise<void>;
  makeBucket(): Promise<void>;
  close(): Promise<void>;
}

interface Inner {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
}

// The pair that this server knows; it opens nothing else.
const accessKey = "S3RVER";
const secretKey = "known-to-this-test-alone";
const bucket = "media";
const uploadsFolder = "._S3rver_uploads";
const objectEnd = "._S3rver_object";

/** Starts one with an empty bucket, on a free port of loopback; its data goes when it is closed. */
export async function startS3Server({ port = 0 }: { port?: number } = {}): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), "safelight-s3-"));
  const Inner = createRequire(import.meta.url)("s3rver") as new (options: object) => Inner;
  const inner = new Inner({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: bucket }],
  });
  const { port: innerPort } = await inner.run();
  const front = new Front(folder, innerPort);
  const server = createServer((request, response) => {
    front.answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    bucket,
    folder,
    environment: {
      MEDIA_URL: `s3://${bucket}/studio?endpoint=${url}&region=us-east-1&path_style=1`,
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: secretKey,
    },
    requests: front.requests,
    meddle: (choose) => void (front.choose = choose),
    objects: () => keysIn(join(folder, bucket)),
    unfinished: async () => (await uploadsIn(join(folder, bucket, uploadsFolder))).map(({ key }) => key),
    removeBucket: () => rm(join(folder, bucket), { recursive: true, force: true }),
    makeBucket: () => mkdir(join(folder, bucket)),
    close: () => closeAll(server, inner, folder),
  };
}

async function closeAll(server: Server, inner: Inner, folder: string): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  await inner.close();
  await rm(folder, { recursive: true, force: true });
}

async function keysIn(root: string): Promise<string[]> {
  const files = await readdir(root, { recursive: true }).catch(() => []);
  const keys = files.filter((file) => file.endsWith(objectEnd)).map((file) => file.slice(0, -objectEnd.length));
  return keys.filter((key) => !key.startsWith(uploadsFolder)).sort();
}

async function uploadsIn(folder: string): Promise<{ id: string; key: string; begun: Date }[]> {
  const ids = await readdir(folder).catch(() => []);
  const uploads = await Promise.all(
    ids.map(async (id) => {
      const file = join(folder, id, "key");
      try {
        return [{ id, key: await readFile(file, "utf8"), begun: (await stat(file)).mtime }];
      } catch (error) {
        // It has ended since the folder was read.
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
      }
    }),
  );
  return uploads.flat();
}

class Front {
  readonly requests: S3Request[] = [];
  choose: ((request: S3Request) => S3Misdeed | null) | null = null;
  readonly #oneByOne = createTurnstile(1);
  readonly #parts = new Set<Promise<Answered>>();
  readonly #folder: string;
  readonly #port: number;

  constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://front");
    const key = decodeURIComponent(url.pathname).slice(bucket.length + 2);
    const seen = { method: request.method ?? "", key, query: url.searchParams, headers: request.headers };
    this.requests.push(seen);
    const misdeed = this.choose?.(seen) ?? null;
    request.on("error", () => undefined);
    if (misdeed !== null && "cutRequest" in misdeed) return void request.socket.destroy();
    if (misdeed !== null && "hang" in misdeed) return;
    const body = await readBody(request);
    if (body === null) return;
    if (misdeed !== null && "status" in misdeed) return refuse(seen, response, misdeed.status, misdeed.code);
    if (misdeed !== null && "damage" in misdeed && body.length > 0) body[0] = (body[0] ?? 0) ^ 1;
    const unsigned = judgeSignature(request, { id: accessKey, secret: secretKey });
    if (unsigned !== null) return refuse(seen, response, 403, unsigned);
    const problem =
      whatIsWrong(seen, body) ?? (await this.#whatHasChanged(seen)) ?? (await this.#whatIsWrongWithUpload(seen, body));
    if (problem !== null) return refuse(seen, response, ...problem);
    // Parts touch no object; everything else waits for the change before it.
    const isPart = seen.method === "PUT" && seen.query.has("uploadId");
    const answered = isPart
      ? await this.#passPart(request, body)
      : await this.#oneByOne.pass(
          async () => (await this.#answerItself(seen)) ?? (await this.#passWhole(request, seen, body)),
        );
    if (misdeed !== null && "lose" in misdeed) return void request.socket.destroy();
    await send(answered, response, misdeed);
  }

  /** What the server behind does not know: to end an upload, and to list those that are not ended. */
  async #answerItself({ method, query }: S3Request): Promise<Answered | null> {
    const folder = join(this.#folder, bucket, uploadsFolder);
    const uploadId = query.get("uploadId");
    if (method === "DELETE" && uploadId !== null) {
      await Promise.allSettled(this.#parts);
      await rm(join(folder, uploadId), { recursive: true });
      return { status: 204, headers: {}, body: Buffer.alloc(0) };
    }
    if (method === "GET" && query.get("list-type") === "2") return this.#listInPages(query);
    if (method !== "GET" || !query.has("uploads")) return null;
    const entries = (await uploadsIn(folder)).map(
      ({ id, key, begun }) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begun.toISOString()}</Initiated></Upload>`,
    );
    const body = Buffer.from(`<ListMultipartUploadsResult>${entries.join("")}</ListMultipartUploadsResult>`);
    return { status: 200, headers: { "content-type": "application/xml" }, body };
  }

  /** The server cannot name the next page on this Node: what does not fit into one is listed here. */
  async #listInPages(query: URLSearchParams): Promise<Answered | null> {
    const root = join(this.#folder, bucket);
    const after = Buffer.from(query.get("continuation-token") ?? "", "base64url").toString();
    const keys = (await keysIn(root)).filter((key) => key.startsWith(query.get("prefix") ?? "") && key > after);
    const page = keys.slice(0, Number(query.get("max-keys") ?? 1000));
    if (after === "" && page.length === keys.length) return null;
    const entries = await Promise.all(
      page.map(async (key) => {
        const { size, mtime } = await stat(join(root, `${key}${objectEnd}`));
        return `<Contents><Key>${key}</Key><LastModified>${mtime.toISOString()}</LastModified><Size>${size}</Size></Contents>`;
      }),
    );
    const next = Buffer.from(page.at(-1) ?? "").toString("base64url");
    const more = page.length < keys.length ? `<NextContinuationToken>${next}</NextContinuationToken>` : "";
    const head = `<IsTruncated>${more !== ""}</IsTruncated>${more}`;
    const body = Buffer.from(`<ListBucketResult>${head}${entries.join("")}</ListBucketResult>`);
    return { status: 200, headers: { "content-type": "application/xml" }, body };
  }

  async #whatHasChanged({ key, headers }: S3Request): Promise<Problem | null> {
    const wanted = headers["if-match"];
    if (wanted === undefined) return null;
    const md5 = await readFile(join(this.#folder, bucket, `${key}${objectEnd}.md5`), "utf8").catch(() => "");
    return wanted === JSON.stringify(md5) ? null : [412, "PreconditionFailed"];
  }

  async #whatIsWrongWithUpload(seen: S3Request, body: Buffer): Promise<Problem | null> {
    const uploadId = seen.query.get("uploadId");
    if (uploadId === null) return null;
    const folder = join(this.#folder, bucket, uploadsFolder, uploadId);
    if ((await stat(folder).catch(() => null)) === null) return [404, "NoSuchUpload"];
    if (seen.method !== "POST") return null;
    const named = [...body.toString().matchAll(/<ETag>(.*?)<\/ETag>.*?<PartNumber>(\d+)<\/PartNumber>/gs)];
    for (const [, etag = "", part = ""] of named) {
      const md5 = await readFile(join(folder, `${part}.md5`), "utf8").catch(() => null);
      if (md5 === null || !etag.includes(md5)) return [400, "InvalidPart"];
    }
    return named.length === 0 ? [400, "MalformedXML"] : null;
  }

  /** What is under way when an upload is ended would begin it anew. */
  async #passPart(request: IncomingMessage, body: Buffer): Promise<Answered> {
    const passing = this.#pass(request, body);
    this.#parts.add(passing);
    return passing.finally(() => this.#parts.delete(passing));
  }

  /** Passes a request on, and answers when what was to be written is written. */
  async #passWhole(request: IncomingMessage, { method, key, query }: S3Request, body: Buffer): Promise<Answered> {
    const parts = query.get("uploadId");
    const size = parts === null ? body.length : await this.#sizeOfParts(parts, body);
    const answered = await this.#pass(request, body);
    const writes = (method === "PUT" || (method === "POST" && parts !== null)) && answered.status === 200 && key !== "";
    const object = join(this.#folder, bucket, `${key}${objectEnd}`);
    while (writes && (await stat(object).catch(() => null))?.size !== size) await sleep(2);
    return answered;
  }

  async #sizeOfParts(uploadId: string, body: Buffer): Promise<number> {
    const folder = join(this.#folder, bucket, uploadsFolder, uploadId);
    const numbers = [...body.toString().matchAll(/<PartNumber>(\d+)</g)].map(([, part = ""]) => part);
    const sizes = await Promise.all(numbers.map(async (part) => (await stat(join(folder, part))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  #pass(request: IncomingMessage, body: Buffer): Promise<Answered> {
    const { method, url: path } = request;
    // The signature was judged; the server behind would only do half of it.
    const { authorization: _judged, ...headers } = request.headers;
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: this.#port, method, path, headers, agent: false as const };
      const passed = httpRequest(options, (answer) => {
        const pieces: Buffer[] = [];
        answer.on("data", (piece: Buffer) => pieces.push(piece));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: Buffer.concat(pieces) }),
        );
        answer.on("error", reject);
      });
      passed.on("error", reject);
      passed.end(body);
    });
  }
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

type Problem = [status: number, code: string];

/** The whole body, or null where it was cut off. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  } catch {
    return null;
  }
  return Buffer.concat(pieces);
}

function whatIsWrong({ headers }: S3Request, body: Buffer): Problem | null {
  const unknown = Object.keys(headers).some((name) => /^x-amz-(?:sdk-checksum|checksum|trailer)/.test(name));
  if (unknown || String(headers["content-encoding"]).includes("aws-chunked")) return [501, "NotImplemented"];
  const md5 = headers["content-md5"];
  if (md5 !== undefined && md5 !== createHash("md5").update(body).digest("base64")) return [400, "BadDigest"];
  const sha256 = String(headers["x-amz-content-sha256"]);
  if (/^[0-9a-f]{64}$/.test(sha256) && sha256 !== createHash("sha256").update(body).digest("hex")) {
    return [400, "XAmzContentSHA256Mismatch"];
  }
  return null;
}

function refuse({ method }: S3Request, response: ServerResponse, status: number, code: string): void {
  const text = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told ${accessKey}</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml" }).end(method === "HEAD" ? undefined : text);
}

async function send({ status, headers, body }: Answered, response: ServerResponse, misdeed: S3Misdeed | null) {
  const length = Number(headers["content-length"] ?? body.length);
  const off = misdeed !== null && "lengthOff" in misdeed && body.length > 0 ? misdeed.lengthOff : 0;
  const { "transfer-encoding": _chunked, connection: _connection, ...rest } = headers;
  response.strictContentLength = false;
  response.writeHead(status, { ...rest, ...(status === 204 ? {} : { "content-length": length + off }) });
  if (misdeed !== null && "cutAfter" in misdeed && body.length > misdeed.cutAfter) {
    response.write(body.subarray(0, misdeed.cutAfter), () => response.destroy());
    return;
  }
  if (misdeed !== null && "pieces" in misdeed) {
    const size = Math.ceil(body.length / misdeed.pieces);
    for (let at = 0; at < body.length && !response.destroyed; at += size) {
      response.write(body.subarray(at, at + size));
      await sleep(misdeed.pauseMs);
    }
  } else response.write(off < 0 ? body.subarray(0, length + off) : body);
  if (off > 0) response.destroy();
  else response.end();
}
