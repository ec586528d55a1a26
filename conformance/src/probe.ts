// Speaks plain HTTP to a worker and judges every answer. Nothing of the gateway's client is used: it would refuse, repeat
// and tidy up what has to be found here.
import {
  type WorkerErrorCode,
  WorkerProblem,
  type WorkerRoute,
  type WorkerRouteName,
  workerErrorCodes,
  workerHeaders,
  workerPathOf,
  workerProblemType,
  workerProtocol,
  workerRoutes,
} from "@safelight/contract/worker";
import type { TSchema } from "typebox";
import { Errors } from "typebox/value";

export interface Question {
  path?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string | number | undefined>>;
  headers?: Readonly<Record<string, string>>;
  /** Objects are sent as JSON, text and bytes as they are. */
  body?: string | Uint8Array | Readonly<Record<string, unknown>>;
  /** Another Authorization header; null sends none. */
  authorization?: string | null;
  /** Another Safelight-Protocol header; null sends none. */
  protocol?: string | null;
  /** Seconds for this one answer. */
  within?: number;
}

export interface Answer {
  /** "GET /health", for messages. */
  request: string;
  status: number;
  headers: Headers;
  bytes: Uint8Array;
}

/** The worker does not do what the protocol says. */
export class Broken extends Error {
  override name = "Broken";
}

export function must(condition: boolean, complaint: string): asserts condition {
  if (!condition) throw new Broken(complaint);
}

export interface ProbeOptions {
  url: string;
  key: string;
  /** Seconds for an answer that is not told to wait. */
  patience: number;
  signal: AbortSignal;
}

export class Probe {
  readonly #options: ProbeOptions;

  constructor(options: ProbeOptions) {
    this.#options = { ...options, url: options.url.replace(/\/+$/, "") };
  }

  get key(): string {
    return this.#options.key;
  }

  /** Asks one route of the contract. */
  ask(name: WorkerRouteName, question: Question = {}): Promise<Answer> {
    return this.send(workerRoutes[name].method, workerPathOf(name, question.path ?? {}), question);
  }

  /** Asks any method of any path. Whatever the answer is, it has to speak the protocol. */
  async send(method: string, path: string, question: Question = {}): Promise<Answer> {
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(question.query ?? {})) {
      if (value !== undefined) search.set(key, String(value));
    }
    const request = `${method} ${path}`;
    const { body } = question;
    const isJson = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
    const within = AbortSignal.timeout((question.within ?? this.#options.patience) * 1000);
    try {
      const response = await fetch(`${this.#options.url}${path}${search.size === 0 ? "" : `?${search.toString()}`}`, {
        method,
        headers: this.#headers(question, isJson),
        redirect: "manual",
        signal: AbortSignal.any([this.#options.signal, within]),
        ...(body === undefined
          ? {}
          : { body: isJson ? JSON.stringify(body) : (body as string | Uint8Array<ArrayBuffer>) }),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      const spoken = response.headers.get(workerHeaders.protocol);
      must(
        spoken === String(workerProtocol),
        `${request} answered ${response.status} with Safelight-Protocol ${spoken ?? "missing"}`,
      );
      return { request, status: response.status, headers: response.headers, bytes };
    } catch (error) {
      if (error instanceof Broken) throw error;
      if (within.aborted) throw new Broken(`${request} was not answered in time`);
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new Broken(`${request} was not answered: ${cause}`);
    }
  }

  #headers(question: Question, isJson: boolean): Headers {
    const headers = new Headers();
    const { authorization = `Bearer ${this.#options.key}`, protocol = String(workerProtocol) } = question;
    if (authorization !== null) headers.set("authorization", authorization);
    if (protocol !== null) headers.set(workerHeaders.protocol, protocol);
    if (isJson) headers.set("content-type", "application/json");
    for (const [name, value] of Object.entries(question.headers ?? {})) headers.set(name, value);
    return headers;
  }
}

export function mustAnswer(answer: Answer, ...statuses: readonly number[]): void {
  if (statuses.includes(answer.status)) return;
  const told = typeOf(answer).includes("json") ? `: ${textOf(answer).slice(0, 300)}` : "";
  throw new Broken(`${answer.request} answered ${answer.status} instead of ${statuses.join(" or ")}${told}`);
}

/** The JSON body of an answer with one of these statuses, judged by the schema of the contract. */
export function shapeOf<T>(name: WorkerRouteName, answer: Answer, ...statuses: readonly number[]): T {
  mustAnswer(answer, ...statuses);
  mustHaveType(answer, "application/json");
  const body = jsonOf(answer);
  const route: WorkerRoute = workerRoutes[name];
  const schema = route.responses[answer.status]?.schema;
  if (schema !== undefined) mustFit(answer.request, schema, body);
  return body as T;
}

/** Complains unless the answer is the one error form with exactly this code and what belongs to it. */
export function mustRefuse(answer: Answer, code: WorkerErrorCode): WorkerProblem {
  const { status, title } = workerErrorCodes[code];
  mustAnswer(answer, status);
  mustHaveType(answer, "application/problem+json");
  const problem = jsonOf(answer) as WorkerProblem;
  mustFit(answer.request, WorkerProblem, problem);
  must(problem.code === code, `${answer.request} was refused with ${problem.code} instead of ${code}`);
  must(problem.status === status, `${answer.request}: the problem says status ${problem.status}, the answer ${status}`);
  must(problem.type === workerProblemType(code), `${answer.request}: the type of ${code} is ${problem.type}`);
  must(problem.title === title, `${answer.request}: the title of ${code} is "${problem.title}"`);
  must(problem.detail !== "" && problem.user_action !== "", `${answer.request}: ${code} says nothing`);
  const text = JSON.stringify(problem);
  const leak = /(?:\/(?:home|root|tmp|usr|var|work|app|opt|mnt)\/[^"]*|Traceback|\bat [\w.]+ \()/.exec(text)?.[0];
  must(leak === undefined, `${answer.request}: the refusal shows the inside of the worker: ${leak ?? ""}`);
  return problem;
}

export function mustHaveType(answer: Answer, type: string): void {
  must(typeOf(answer) === type, `${answer.request} has the content type ${typeOf(answer) || "(none)"}, not ${type}`);
}

/** Complains about the first place where a value does not fit the schema. */
export function mustFit(what: string, schema: TSchema, value: unknown): void {
  const [first] = Errors(schema, value);
  must(first === undefined, `${what}: ${first?.instancePath || "the body"} ${first?.message ?? ""}`);
}

export function jsonOf(answer: Answer): unknown {
  try {
    return JSON.parse(textOf(answer));
  } catch {
    throw new Broken(`${answer.request} answered ${answer.status} with something that is not JSON`);
  }
}

export function textOf(answer: Answer): string {
  return new TextDecoder().decode(answer.bytes);
}

export function typeOf({ headers }: Pick<Answer, "headers">): string {
  return headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
}
