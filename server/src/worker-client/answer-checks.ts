/** What may be believed of an answer: its protocol, its type, its shape, its size. Everything else is a broken protocol. */
import { problemContentType } from "@safelight/contract";
import { WorkerProblem, workerErrorCodes, workerHeaders, workerProtocol } from "@safelight/contract/worker";
import { Ajv, type AnySchemaObject, type ValidateFunction } from "ajv";
import { brokenProtocol, fromProblem, type WorkerError } from "./worker-error.ts";

const validators = new WeakMap<object, ValidateFunction>();
const ajv = new Ajv({ strict: false, validateFormats: false });

/** Throws unless the answer is one of this protocol with one of these statuses; a refusal is thrown as what it says. */
export async function checkAnswer(response: Response, wanted: readonly number[]): Promise<void> {
  const spoken = response.headers.get(workerHeaders.protocol);
  if (spoken === null) {
    await response.body?.cancel();
    throw brokenProtocol(`Something that is not a Safelight worker answered ${response.status}.`);
  }
  if (wanted.includes(response.status) && spoken === String(workerProtocol)) return;
  if (response.status < 400 || typeOf(response) !== problemContentType) {
    await response.body?.cancel();
    const version = spoken === String(workerProtocol) ? "" : ` in version ${spoken.slice(0, 20)} of the protocol`;
    throw brokenProtocol(`The worker answered ${response.status}${version}, which was not expected.`);
  }
  throw refusalOf(await readJson(response, WorkerProblem), response.status);
}

function refusalOf(problem: WorkerProblem, status: number): WorkerError {
  const known = Object.hasOwn(workerErrorCodes, problem.code) ? workerErrorCodes[problem.code].status : problem.status;
  if (known !== status || problem.status !== status) {
    return brokenProtocol(`The worker refused with ${problem.code}, but with the status ${status}.`);
  }
  return fromProblem(problem);
}

/** The body as JSON of this shape. Fields that the shape does not name are let through. */
export async function readJson<T>(response: Response, schema: AnySchemaObject): Promise<T> {
  const type = typeOf(response);
  if (type !== "application/json" && type !== problemContentType) {
    await response.body?.cancel();
    throw brokenProtocol(`The worker answered ${type === "" ? "no content type" : type} instead of JSON.`);
  }
  const text = await response.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw brokenProtocol("The worker answered something that is not JSON.", error);
  }
  const validate = validators.get(schema) ?? ajv.compile(schema);
  validators.set(schema, validate);
  if (validate(value) === true) return value as T;
  const [first] = validate.errors ?? [];
  throw brokenProtocol(`The worker's answer does not fit: ${first?.instancePath ?? ""} ${first?.message ?? ""}.`);
}

export function typeOf(response: Pick<Response, "headers">): string {
  return response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
}
