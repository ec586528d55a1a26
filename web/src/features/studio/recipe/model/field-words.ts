// A refused field in words for people: by its code where the page has better ones than the API's sentence.
import type { KeyframeField, Parameter, StudioModel } from "../../../../api/models.ts";
import type { Problem } from "../../../../api/problems.ts";
import { localize } from "../../../../ui/language.ts";
import { strings } from "../strings.ts";

export type FieldFault = Problem["fields"][number];

type Described = Pick<Parameter, "type" | "min" | "max" | "step" | "label"> | KeyframeField;

/** The parameter, or the part of a list entry, that a path like `frames[1].strength` names. */
function describedBy(model: StudioModel, path: string): Described | undefined {
  const [name, part] = path.split(/\[\d+\]\.?/);
  const parameter = model.parameters.find((candidate) => candidate.name === name);
  return part ? parameter?.fields?.find((field) => field.name === part) : parameter;
}

export function fieldLabel(model: StudioModel, path: string): string {
  const described = describedBy(model, path);
  const place = /\[(\d+)\]/.exec(path)?.[1];
  const label = described ? localize(described.label) : path;
  return place === undefined ? label : `${strings.keyframe(Number(place) + 1)}, ${label}`;
}

export function fieldWords(model: StudioModel, fault: FieldFault): string {
  const described = describedBy(model, fault.field);
  switch (fault.code) {
    case "required":
    case "blank":
    case "too_short":
      if (described?.type === "image") return strings.faults.picture;
      return described?.type === "string" ? strings.faults.text : fault.message;
    case "below_minimum":
    case "above_maximum":
    case "not_a_step":
      return described && described.min !== undefined && described.max !== undefined
        ? strings.faults.range(described.min, described.max, described.type === "integer" ? described.step : undefined)
        : fault.message;
    case "wrong_type":
      return described?.type === "integer" || described?.type === "number" ? strings.faults.number : fault.message;
    default:
      return fault.message;
  }
}
