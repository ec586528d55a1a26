// Speaks plain HTTP to an installation and judges what comes back. Nothing of the typed client is used: it would follow,
// repeat and repair what this command has to find.
import {
  encodeForm,
  Problem,
  pathOf,
  problemContentType,
  type Route,
  type RouteName,
  routes,
} from "@safelight/contract";
import type { TSchema } from "typebox";
import { Errors } from "typebox/value";

/** Who asks: with the API key, with nobody's credentials, with another key, or with a session cookie. */
export type Credential = "key" | "none" | { apiKey: string } | { cookie: string };

export interface Question {
  path?: Readonly<Record<string, string>>;
  /** Appended to the path, "?wait=10". */
  search?: string;
  headers?: Readonly<Record<string, string>>;
  /** Objects are sent as JSON, text and forms as they are. */
  body?: string | FormData | Readonly<Record<string, unknown>>;
  as?: Credential;
  /** Milliseconds for this one answer. */
  within?: number;
}

export interface Answer {
  /** "GET /health", for messages. */
  request: string;
  status: number;
  headers: Headers;
  bytes: Uint8Array;
}

/** A part does not do what it declares. */
export class BrokenPart extends Error {
  override name = "BrokenPart";
}

/** Throws a BrokenPart unless the condition holds. */
export function must(condition: boolean, complaint: string): asserts condition {
  if (!condition) throw new BrokenPart(complaint);
}

export interface ProbeOptions {
  url: string;
  key: string | undefined;
  /** Ends everything that is under way. */
  signal: AbortSignal;
}

export class Probe {
  readonly #options: ProbeOptions;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#options.url;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** Asks one route of the contract. */
  ask(name: RouteName, question: Question = {}): Promise<Answer> {
    const path = pathOf(name, question.path ?? {}) + (question.search ?? "");
    return this.send(routes[name].method, path, question);
  }

  /** Asks any method of any path. */
  async send(method: string, path: string, question: Question = {}): Promise<Answer> {
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(question.within ?? 30_000)]);
    const response = await this.open(method, path, question, signal);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return {
      request: `${method} ${path.replace(/\?.*$/, "")}`,
      status: response.status,
      headers: response.headers,
      bytes,
    };
  }

  /** The answer as it begins, for streams. */
  async open(method: string, path: string, question: Question, signal: AbortSignal): Promise<Response> {
    const headers = new Headers(question.headers);
    for (const [name, value] of this.#credentials(question.as ?? "key")) headers.set(name, value);
    const { contentType, body } = await encode(question.body);
    if (contentType !== null && !headers.has("content-type")) headers.set("content-type", contentType);
    return fetch(this.url + path, {
      method,
      headers,
      signal,
      redirect: "manual",
      ...(body === undefined ? {} : { body }),
    });
  }

  #credentials(as: Credential): [string, string][] {
    if (as === "none") return [];
    if (as === "key") return this.#options.key === undefined ? [] : [["x-api-key", this.#options.key]];
    if (!("cookie" in as)) return [["x-api-key", as.apiKey]];
    // A browser says of the page that it is ours; with COOKIE_SAMESITE=none a cookie alone proves nothing.
    return [
      ["cookie", as.cookie],
      ["sec-fetch-site", "same-origin"],
    ];
  }
}

async function encode(body: Question["body"]) {
  if (body === undefined || typeof body === "string") return { contentType: null, body };
  if (!(body instanceof FormData)) return { contentType: "application/json", body: JSON.stringify(body) };
  const { contentType, bytes } = await encodeForm(body);
  return { contentType, body: bytes };
}

/** The JSON of an answer; complains when it is none. */
export function jsonOf(answer: Answer): unknown {
  try {
    return JSON.parse(textOf(answer));
  } catch {
    throw new BrokenPart(`${answer.request} answered ${answer.status} with something that is not JSON`);
  }
}

export function textOf(answer: Answer): string {
  return new TextDecoder().decode(answer.bytes);
}

/** Complains unless the status is the one wanted; a problem in the answer is told. */
export function mustAnswer(answer: Answer, status: number): void {
  if (answer.status === status) return;
  const told = /json/.test(answer.headers.get("content-type") ?? "") ? `: ${textOf(answer).slice(0, 300)}` : "";
  throw new BrokenPart(`${answer.request} answered ${answer.status} instead of ${status}${told}`);
}

/** The body of a JSON answer, judged by the contract's schema for this route and status. */
export function shapeOf<T>(name: RouteName, answer: Answer, status: number): T {
  mustAnswer(answer, status);
  const route: Route = routes[name];
  const declared = route.responses[status];
  mustHaveType(answer, declared?.content_type ?? "application/json");
  const body = jsonOf(answer);
  if (declared?.schema !== undefined) mustFit(answer.request, declared.schema, body);
  return body as T;
}

/** Complains unless the answer is the one error form with exactly this status and code. */
export function mustRefuse(answer: Answer, status: number, code: string): Problem {
  mustAnswer(answer, status);
  mustHaveType(answer, problemContentType);
  const problem = jsonOf(answer) as Problem;
  mustFit(answer.request, Problem, problem);
  must(problem.code === code, `${answer.request} was refused with ${problem.code} instead of ${code}`);
  must(problem.status === status, `${answer.request}: the problem says status ${problem.status}, the answer ${status}`);
  must(problem.user_action !== "", `${answer.request}: the problem says nothing about what to do`);
  return problem;
}

export function mustHaveType(answer: Pick<Answer, "request" | "headers">, type: string): void {
  const found = (answer.headers.get("content-type") ?? "").split(";")[0]?.trim();
  must(found === type, `${answer.request} has the content type ${found || "(none)"} instead of ${type}`);
}

/** Complains about the first place where a value does not fit the schema. */
export function mustFit(what: string, schema: TSchema, value: unknown): void {
  const [first] = Errors(schema, value);
  must(first === undefined, `${what}: ${first?.instancePath || "the body"} ${first?.message ?? ""}`);
}
