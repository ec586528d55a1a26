// From a command line to the body of POST /generate. Everything is judged by the catalog before a picture is read over the
// network or a server is started; what is wrong is said with the name of the flag.
import { catalog, checkRequest, type FieldError, parametersOf } from "@safelight/catalog";
import { CommandError, exitCodes, usageError } from "../failure.ts";
import { type Flag, flagName } from "./flags.ts";
import type { Pair } from "./pairs.ts";

/** A picture that the body names; `put` writes the id of the upload into it. */
export interface PictureSlot {
  file: string;
  put: (uploadId: string) => void;
}

export interface PreparedRequest {
  body: Record<string, unknown>;
  pictures: readonly PictureSlot[];
}

/** Values as commander gives them, by parameter name: text, or a list of texts for keyframes. */
export type FlagValues = ReadonlyMap<string, string | readonly string[]>;

const placeholder = `sha256-${"0".repeat(64)}`;

/** Builds and judges the body. Throws a usage error that names every wrong flag. */
export function prepareRequest(
  prompt: string,
  pair: Pair,
  flags: readonly Flag[],
  values: FlagValues,
  workspace: string | undefined,
): PreparedRequest {
  refuseForeignFlags(pair, values);
  const body: Record<string, unknown> = { model: pair.model.id, mode: pair.mode.id, prompt };
  if (workspace !== undefined) body.workspace = workspace;
  const pictures: PictureSlot[] = [];
  for (const flag of flags) {
    const value = values.get(flag.parameter);
    if (value === undefined) continue;
    body[flag.parameter] = readValue(flag, value, body, pictures);
  }
  const checked = checkRequest(body);
  if (!checked.ok) throw refused(checked.code, checked.errors);
  return { body, pictures };
}

function readValue(
  flag: Flag,
  value: string | readonly string[],
  body: Record<string, unknown>,
  pictures: PictureSlot[],
): unknown {
  if (flag.kind === "keyframes") return readKeyframes(flag, typeof value === "string" ? [value] : value, pictures);
  const text = typeof value === "string" ? value : (value.at(-1) ?? "");
  if (flag.kind === "image") {
    pictures.push({
      file: text,
      put: (id) => {
        body[flag.parameter] = id;
      },
    });
    return placeholder;
  }
  return flag.kind === "number" ? numberOrText(text) : text;
}

function readKeyframes(flag: Flag, texts: readonly string[], pictures: PictureSlot[]): Record<string, unknown>[] {
  return texts.map((text) => {
    const match = /^(\d+):(.+?)(?::(\d*\.?\d+))?$/.exec(text);
    if (match === null) throw usageError(`${flag.name} takes frame:file or frame:file:strength, not "${text}".`);
    const [, index = "", file = "", strength] = match;
    const frame: Record<string, unknown> = { frame_index: Number(index), image: placeholder };
    if (strength !== undefined) frame.strength = Number(strength);
    pictures.push({
      file,
      put: (id) => {
        frame.image = id;
      },
    });
    return frame;
  });
}

// What is no number stays text, so that the catalog refuses it like any other wrong type.
function numberOrText(text: string): number | string {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

function refuseForeignFlags({ model, mode }: Pair, values: FlagValues): void {
  const known = new Set(parametersOf(model, mode.id).map(({ name }) => name));
  const foreign = [...values.keys()].filter((name) => !known.has(name));
  if (foreign.length === 0) return;
  const lines = foreign.map((name) => `${flagName(name)} is for ${pairsWith(name)}.`);
  throw usageError(`${lines.join(" ")} This would be ${model.id} ${mode.id}; choose with --model and --mode.`);
}

function pairsWith(name: string): string {
  const owners = catalog.models.flatMap((model) => {
    const modes = model.modes.filter(({ id }) => parametersOf(model, id).some((parameter) => parameter.name === name));
    if (modes.length === 0) return [];
    return [modes.length === model.modes.length ? model.id : `${model.id} ${modes.map(({ id }) => id).join("/")}`];
  });
  return owners.join(", ");
}

function refused(code: string, errors: readonly FieldError[]): CommandError {
  const text = errors.map(({ field, message }) => withFlagName(field, message)).join(" ");
  return new CommandError(exitCodes.usage, code, text);
}

function withFlagName(field: string, message: string): string {
  const parameter = /^[a-z_]+/.exec(field)?.[0] ?? field;
  if (["prompt", "model", "mode", "workspace"].includes(parameter)) return message;
  const flag = field.replace(parameter, flagName(parameter));
  return message.includes(field) ? message.replace(field, flag) : `${flag}: ${message}`;
}
