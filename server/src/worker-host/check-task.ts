/** Judges a task against the catalog and puts it into the executors' terms. */
import { catalog, checkRequest, findModel, type ModelEntry } from "@safelight/catalog";
import type { Notice } from "@safelight/contract";
import type { WorkerTaskRequest } from "@safelight/contract/worker";
import { placeOf } from "../dispatch/run-request.ts";
import type { FieldError } from "../errors.ts";
import type { RunRequest } from "../executors/executor.ts";
import { referencesIn, type TaskReference } from "../tasks/references.ts";
import { WorkerRefusal } from "./refusal.ts";

/** A task that may run, given a slot and its pictures. */
export interface CheckedTask {
  /** Everything but the paths of the pictures. */
  readonly run: Omit<RunRequest, "references">;
  readonly pictures: readonly TaskReference[];
  readonly parameters: Readonly<Record<string, unknown>>;
}

// They stand beside `parameters`, and would contradict it from within.
const standingOutside = ["model", "mode", "type", "workspace", "prompt", "negative_prompt", "seed"];
const addresses = new Set(["model", "mode", "prompt", "negative_prompt", "seed"]);

/** `limits` are the options that this machine cannot honour. Throws a WorkerRefusal with the fields at fault. */
export function checkTask(body: WorkerTaskRequest, limits: (model: ModelEntry) => readonly Notice[]): CheckedTask {
  const { model, mode, prompt, negative_prompt, seed } = body;
  const misplaced = standingOutside.filter((name) => Object.hasOwn(body.parameters, name));
  if (misplaced.length > 0) refuse(misplaced.map((name) => unknownParameter(name)));
  const checked = checkRequest({ ...body.parameters, model, mode, prompt, negative_prompt, seed });
  if (!checked.ok) {
    const fields = checked.errors.map((error) => ({ ...error, field: fieldIn(error.field) }));
    throw new WorkerRefusal(checked.code, checked.detail, { fields });
  }
  const entry = findModel(checked.model);
  if (entry === undefined || checked.model !== model) {
    const message = `Models are named by their id, not as "${model.slice(0, 40)}".`;
    throw new WorkerRefusal("unknown_model", message, { fields: [{ field: "model", code: "not_an_option", message }] });
  }
  refuse(unavailableOptions(checked.parameters, limits(entry)));
  const pictures = referencesIn(checked.parameters);
  refuse(unlisted(pictures, body));
  const own = new Set([...pictures.map(({ parameter }) => parameter), "arbitrary_frames"]);
  const withoutPictures = Object.entries(checked.parameters).filter(([name]) => !own.has(name));
  return {
    pictures,
    parameters: checked.parameters,
    run: {
      taskId: body.task_id,
      attempt: body.attempt,
      model: checked.model,
      type: checked.type,
      mode: checked.mode,
      prompt,
      negativePrompt: checked.negative_prompt,
      parameters: Object.fromEntries(withoutPictures),
      seed,
      deadlineMs: Math.ceil(body.deadline_s * 1000),
      recipe: body.recipe ?? recipeOf(body, checked.parameters),
    },
  };
}

/** The whole request, once it is known where its pictures lie. */
export function withReferences(task: CheckedTask, pathOf: (id: string) => string): RunRequest {
  const references = task.pictures.map(({ parameter, position, uploadId }) => ({
    parameter,
    position,
    path: pathOf(uploadId),
    ...placeOf(task.parameters, parameter, position),
  }));
  return { ...task.run, references };
}

function refuse(fields: readonly FieldError[]): void {
  if (fields.length === 0) return;
  const detail = fields
    .slice(0, 3)
    .map(({ message }) => message)
    .join(" ");
  throw new WorkerRefusal("validation_failed", detail, { fields });
}

function fieldIn(name: string): string {
  return addresses.has(name) ? name : `parameters.${name}`;
}

function unknownParameter(name: string): FieldError {
  const message = `${name} stands beside parameters, not in it.`;
  return { field: `parameters.${name}`, code: "unknown_parameter", message };
}

function unavailableOptions(parameters: Readonly<Record<string, unknown>>, limits: readonly Notice[]): FieldError[] {
  return limits.flatMap(({ parameter = "", options = [], detail }) =>
    options.includes(String(parameters[parameter]))
      ? [{ field: `parameters.${parameter}`, code: "option_unavailable", message: detail }]
      : [],
  );
}

function unlisted(pictures: readonly TaskReference[], { media }: WorkerTaskRequest): FieldError[] {
  const listed = new Set(media.map(({ id }) => id));
  return pictures
    .filter(({ uploadId }) => !listed.has(uploadId))
    .map(({ parameter, position }) => {
      const name = parameter === "arbitrary_frames" ? `${parameter}[${position}].image` : parameter;
      const message = `${name} names a picture that is not listed in media.`;
      return { field: `parameters.${name}`, code: "unknown_media", message };
    });
}

function recipeOf(body: WorkerTaskRequest, parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { prompt, negative_prompt, model, mode, seed } = body;
  return { prompt, negative_prompt, model, mode, parameters, seed, catalog_version: catalog.catalog_version };
}
