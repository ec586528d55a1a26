/** The one judgement of a request body against the catalog, used by the server, the form and the command line. */
import { catalog, findMode, findModel, isRequired, parametersOf } from "./catalog.ts";
import type { FieldError } from "./field-errors.ts";
import { reportedErrors, shorten } from "./field-errors.ts";
import { judgeParameter, valueAt } from "./judge-value.ts";
import { workspacePattern } from "./request-schema.ts";
import type { MediaType, Mode, ModelEntry, ModelId, ParameterEntry } from "./types.ts";

/** A request that may become a task. `parameters` holds all in force except the two prompts, locked ones included. */
export interface CheckedRequest {
  readonly ok: true;
  readonly model: ModelId;
  readonly type: MediaType;
  readonly mode: Mode;
  readonly prompt: string;
  /** "" when none was sent. */
  readonly negative_prompt: string;
  /** Defaults filled in; pictures and the seed as sent (-1 asks for a random one). */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The worker account that is to run it, null for any. */
  readonly workspace: string | null;
}

export type RefusalCode = "validation_failed" | "parameter_locked" | "unknown_model" | "unsupported_mode";

/** Why a body was refused. `errors` is never empty; `detail` is a sentence for people. */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly detail: string;
  readonly errors: readonly FieldError[];
}

type Body = Readonly<Record<string, unknown>>;

const workspaceName = new RegExp(workspacePattern, "u");
const addressing = new Set(["model", "mode", "type", "workspace"]);

/** Judges a parsed JSON object and fills in the defaults. Throws on nothing that JSON can say. */
export function checkRequest(body: Body): CheckedRequest | Refusal {
  const pair = findPair(body);
  if ("ok" in pair) return pair;
  const { model, mode } = pair;
  const parameters = parametersOf(model, mode);
  const errors = [
    ...addressErrors(body, model),
    ...parameters.flatMap((parameter) => parameterErrors(body, model, mode, parameter, parameters)),
    ...surplusErrors(body, model, mode, parameters),
  ];
  return errors.length > 0 ? refuse(errors) : checked(body, model, mode, parameters);
}

function findPair(body: Body): { model: ModelEntry; mode: Mode } | Refusal {
  const name = valueAt(body, "model");
  if (name === undefined) return refuse([{ field: "model", code: "required", message: "model is missing." }]);
  if (typeof name !== "string") return refuse([{ field: "model", code: "wrong_type", message: "model must be text." }]);
  const model = findModel(name);
  if (model === undefined) {
    const message = `There is no model "${shorten(name)}". Choose one of ${catalog.models.map(({ id }) => id).join(", ")}.`;
    return {
      ok: false,
      code: "unknown_model",
      detail: message,
      errors: [{ field: "model", code: "not_an_option", message }],
    };
  }
  const wanted = valueAt(body, "mode");
  if (wanted !== undefined && typeof wanted !== "string")
    return refuse([{ field: "mode", code: "wrong_type", message: "mode must be text." }]);
  const mode = findMode(model, wanted);
  if (mode === undefined) {
    const known = model.modes.map(({ id }) => id).join(", ");
    const message = `${model.id} has no mode "${shorten(wanted ?? "")}". Choose one of ${known}.`;
    return {
      ok: false,
      code: "unsupported_mode",
      detail: message,
      errors: [{ field: "mode", code: "not_an_option", message }],
    };
  }
  return { model, mode: mode.id };
}

function addressErrors(body: Body, model: ModelEntry): FieldError[] {
  const errors: FieldError[] = [];
  const type = valueAt(body, "type");
  if (type !== undefined && type !== model.type)
    errors.push({
      field: "type",
      code: "mismatch",
      message: `type must be "${model.type}" for ${model.id}, or left out.`,
    });
  const workspace = valueAt(body, "workspace");
  if (workspace === undefined || workspace === null) return errors;
  if (typeof workspace !== "string")
    errors.push({ field: "workspace", code: "wrong_type", message: "workspace must be text." });
  else if (!workspaceName.test(workspace))
    errors.push({
      field: "workspace",
      code: "pattern",
      message: "workspace must be 3 to 64 small letters, digits and hyphens.",
    });
  return errors;
}

function parameterErrors(
  body: Body,
  model: ModelEntry,
  mode: Mode,
  parameter: ParameterEntry,
  all: readonly ParameterEntry[],
): FieldError[] {
  const { name } = parameter;
  const value = valueAt(body, name);
  if (value !== undefined) return judgeParameter(parameter, value, body, all);
  if (!isRequired(model, mode, parameter)) return [];
  const where = parameter.required === true ? "" : ` in mode ${mode}`;
  return [{ field: name, code: "required", message: `${name} is missing: it is required${where}.` }];
}

function surplusErrors(body: Body, model: ModelEntry, mode: Mode, inForce: readonly ParameterEntry[]): FieldError[] {
  const known = new Set(inForce.map(({ name }) => name));
  const errors: FieldError[] = [];
  for (const name of Object.keys(body)) {
    if (known.has(name) || addressing.has(name)) continue;
    const elsewhere = model.parameters.find((parameter) => parameter.name === name);
    if (elsewhere === undefined) {
      const field = shorten(name);
      errors.push({ field, code: "unknown_parameter", message: `${model.id} has no parameter "${field}".` });
    } else {
      const message = `${name} belongs to ${elsewhere.modes.join(", ")} and cannot be sent in mode ${mode}.`;
      errors.push({ field: name, code: "wrong_mode", message });
    }
    if (errors.length >= reportedErrors) break;
  }
  return errors;
}

function refuse(errors: readonly FieldError[]): Refusal {
  const reported = errors.slice(0, reportedErrors);
  const code = errors.every((error) => error.code === "locked") ? "parameter_locked" : "validation_failed";
  return {
    ok: false,
    code,
    detail: reported
      .map(({ message }) => message)
      .slice(0, 3)
      .join(" "),
    errors: reported,
  };
}

function checked(body: Body, model: ModelEntry, mode: Mode, inForce: readonly ParameterEntry[]): CheckedRequest {
  const values = Object.fromEntries(inForce.map((parameter) => [parameter.name, valueOf(body, parameter)]));
  const { prompt, negative_prompt, ...parameters } = values;
  const workspace = valueAt(body, "workspace");
  return {
    ok: true,
    model: model.id,
    type: model.type,
    mode,
    prompt: textOf(prompt),
    negative_prompt: textOf(negative_prompt),
    parameters,
    workspace: typeof workspace === "string" ? workspace : null,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function valueOf(body: Body, { name, default: value, fields }: ParameterEntry): unknown {
  const sent = valueAt(body, name) ?? value;
  if (fields === undefined || !Array.isArray(sent)) return sent;
  return sent.map((item: unknown) =>
    Object.fromEntries(fields.map((field) => [field.name, valueAt(item, field.name) ?? field.default])),
  );
}
