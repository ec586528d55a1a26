// The flags of `generate`, made from the catalog: parameter name in kebab-case, what it takes, its limits and default.
import { type OptionValue, type ParameterEntry, type ParameterGroup, parametersOf } from "@safelight/catalog";
import type { Pair } from "./pairs.ts";

export type FlagKind = "text" | "number" | "image" | "keyframes";

export interface Flag {
  /** Name of the parameter in the request, "num_frames". */
  parameter: string;
  /** "--num-frames". */
  name: string;
  /** As commander wants it: "--num-frames <number>". */
  syntax: string;
  description: string;
  /** Heading in the help. */
  group: string;
  kind: FlagKind;
}

const groupTitles: Record<ParameterGroup, string> = {
  prompt: "Prompt",
  references: "Pictures to start from",
  frame: "Size",
  length: "Length",
  quality: "Quality",
  seed: "Seed",
  advanced: "Fine tuning",
};

/** Flags that are handier under a second name. */
const shortNames: Readonly<Record<string, string>> = { arbitrary_frames: "--keyframe" };

interface Use {
  pair: Pair;
  parameter: ParameterEntry;
}

/** One flag for each parameter of any of the pairs, in catalog order. The prompt is not a flag but the argument. */
export function flagsFor(pairs: readonly Pair[]): Flag[] {
  const uses = new Map<string, Use[]>();
  for (const pair of pairs) {
    for (const parameter of parametersOf(pair.model, pair.mode.id)) {
      if (parameter.name === "prompt") continue;
      uses.set(parameter.name, [...(uses.get(parameter.name) ?? []), { pair, parameter }]);
    }
  }
  return [...uses.values()].map((all) => flagOf(all, pairs));
}

/** "num_frames" → "--num-frames". */
export function flagName(parameter: string): string {
  return `--${parameter.replaceAll("_", "-")}`;
}

function flagOf(uses: readonly Use[], pairs: readonly Pair[]): Flag {
  const [first] = uses;
  if (first === undefined) throw new Error("a flag stands for at least one parameter");
  const { parameter } = first;
  const name = flagName(parameter.name);
  const short = shortNames[parameter.name];
  return {
    parameter: parameter.name,
    name,
    syntax: `${short === undefined ? "" : `${short}, `}${name} ${placeholder(parameter)}`,
    description: describe(uses, pairs),
    group: `${groupTitles[parameter.group]}:`,
    kind: kindOf(parameter),
  };
}

function kindOf({ type }: ParameterEntry): FlagKind {
  if (type === "integer" || type === "number") return "number";
  return type === "string" ? "text" : type;
}

function placeholder(parameter: ParameterEntry): string {
  if (parameter.type === "keyframes") return "<frame:file[:strength]>";
  if (parameter.type === "image") return "<file>";
  if (parameter.options !== undefined) return "<choice>";
  return parameter.type === "string" ? "<text>" : "<number>";
}

/** "Steps (pony 20–60, default 30; flux 15–50, default 25; fixed at 8 for anisora)". */
function describe(uses: readonly Use[], pairs: readonly Pair[]): string {
  const label = uses[0]?.parameter.label.en ?? "";
  const byLimits = new Map<string, Set<string>>();
  for (const { pair, parameter } of uses) {
    const text = limits(parameter);
    byLimits.set(text, (byLimits.get(text) ?? new Set()).add(pair.model.id));
  }
  const parts = [...byLimits].flatMap(([text, models]) => {
    if (text === "") return [];
    return byLimits.size === 1 ? [text] : [`${[...models].join(", ")}: ${text}`];
  });
  if (uses[0]?.parameter.type === "keyframes") parts.unshift("repeat for each picture");
  // Where limits differ the models are named already.
  const only = byLimits.size > 1 ? null : onlyFor(uses, pairs);
  if (only !== null) parts.push(`only ${only}`);
  return parts.length === 0 ? label : `${label} (${parts.join("; ")})`;
}

function limits(parameter: ParameterEntry): string {
  if (parameter.locked) return `fixed at ${String(parameter.default)}`;
  const parts: string[] = [];
  if (parameter.options !== undefined) parts.push(parameter.options.map(quoted).join(" | "));
  if (parameter.min !== undefined && parameter.max !== undefined) parts.push(`${parameter.min} to ${parameter.max}`);
  if (parameter.type === "integer" && (parameter.step ?? 1) > 1) parts.push(`in steps of ${parameter.step}`);
  if (parameter.max_items !== undefined) parts.push(`${parameter.min_items ?? 0} to ${parameter.max_items} of them`);
  if (parameter.type === "string" && parameter.max_length !== undefined)
    parts.push(`at most ${parameter.max_length} characters`);
  const start = parameter.default;
  if ((typeof start === "string" && start !== "") || typeof start === "number") {
    parts.push(start === parameter.random_value ? `default ${start}: random` : `default ${quoted(start)}`);
  }
  return parts.join(", ");
}

function quoted(value: OptionValue): string {
  return typeof value === "string" && value.includes(" ") ? `"${value}"` : String(value);
}

/** In which modes, or for which type, a flag is good when it is not good for all. */
function onlyFor(uses: readonly Use[], pairs: readonly Pair[]): string | null {
  if (uses.length === pairs.length) return null;
  const models = new Set(uses.map(({ pair }) => pair.model.id));
  const modes = new Set(uses.map(({ pair }) => pair.mode.id));
  const ofTheseModes = pairs.filter(({ mode }) => modes.has(mode.id));
  const everyMode = pairs.filter(({ model }) => models.has(model.id)).length === uses.length;
  if (ofTheseModes.length === uses.length && !everyMode) return [...modes].join(", ");
  return everyMode ? [...models].join(", ") : uses.map(({ pair }) => `${pair.model.id} ${pair.mode.id}`).join(", ");
}
