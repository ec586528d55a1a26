import { checkRequest, parametersOf } from "@safelight/catalog";
import { describe, expect, it } from "vitest";
import type { CommandError } from "../failure.ts";
import { flagsFor } from "./flags.ts";
import { choosePair, pairsFor } from "./pairs.ts";
import { type PreparedRequest, prepareRequest } from "./request.ts";

const flags = flagsFor(pairsFor());
const uploadId = `sha256-${"a".repeat(64)}`;

function prepare(
  model: string,
  mode: string,
  values: Record<string, string | string[]>,
  prompt = "a boat",
): PreparedRequest {
  const pair = choosePair({ model, mode, parameters: [] });
  return prepareRequest(prompt, pair, flags, new Map(Object.entries(values)), undefined);
}

function refusal(work: () => unknown): CommandError {
  try {
    work();
  } catch (error) {
    return error as CommandError;
  }
  throw new Error("it was accepted");
}

/** A good value for every parameter of a pair, as it is typed. */
function typedValues(model: string, mode: string): Record<string, string | string[]> {
  const pair = choosePair({ model, mode, parameters: [] });
  const entries = parametersOf(pair.model, pair.mode.id).flatMap((parameter): [string, string | string[]][] => {
    if (parameter.name === "prompt") return [];
    if (parameter.type === "image") return [[parameter.name, "boat.png"]];
    if (parameter.type === "keyframes") return [[parameter.name, ["0:a.png", "48:b:c.png:0.5"]]];
    if (parameter.options !== undefined) return [[parameter.name, String(parameter.options.at(-1))]];
    return [[parameter.name, String(parameter.locked ? parameter.default : (parameter.max ?? "rain"))]];
  });
  return Object.fromEntries(entries);
}

describe.each(pairsFor())("body for $model.id $mode.id", ({ model, mode }) => {
  it("carries every flag with its type, and the catalog accepts it (FR-003)", () => {
    const values = typedValues(model.id, mode.id);
    const { body, pictures } = prepare(model.id, mode.id, values);
    expect(Object.keys(body).toSorted()).toEqual(["mode", "model", "prompt", ...Object.keys(values)].toSorted());
    for (const { put } of pictures) put(uploadId);
    expect(checkRequest(body)).toMatchObject({ ok: true, model: model.id, mode: mode.id });
    expect(JSON.stringify(body)).not.toContain("0".repeat(64));
  });
});

describe("prepareRequest", () => {
  it("reads keyframes as frame:file and frame:file:strength, colons in names included", () => {
    const { body, pictures } = prepare("anisora", "arbitrary_frame", {
      arbitrary_frames: ["0:a.png", "40:b:1.png:.5", "48:C:/c.png:1.0"],
    });
    expect(pictures.map(({ file }) => file)).toEqual(["a.png", "b:1.png", "C:/c.png"]);
    for (const { put } of pictures) put(uploadId);
    expect(body.arbitrary_frames).toEqual([
      { frame_index: 0, image: uploadId },
      { frame_index: 40, image: uploadId, strength: 0.5 },
      { frame_index: 48, image: uploadId, strength: 1 },
    ]);
    const error = refusal(() => prepare("anisora", "arbitrary_frame", { arbitrary_frames: ["a.png", "1:b.png"] }));
    expect(error.message).toBe('--arbitrary-frames takes frame:file or frame:file:strength, not "a.png".');
  });

  it("names the flag that is wrong, and every one of them", () => {
    const error = refusal(() => prepare("pony", "txt2img", { steps: "19", width: "513", seed: "soon" }));
    expect(error).toMatchObject({ exitCode: 2, code: "validation_failed" });
    for (const flag of ["--steps", "--width", "--seed"]) expect(error.message).toContain(flag);
  });

  it("takes a negative seed and a decimal", () => {
    expect(prepare("flux", "txt2img", { seed: "-1", guidance_scale: "3.5" }).body).toMatchObject({
      seed: -1,
      guidance_scale: 3.5,
    });
  });

  it("refuses a locked parameter under its own code", () => {
    expect(refusal(() => prepare("anisora", "t2v", { steps: "9" }))).toMatchObject({
      code: "parameter_locked",
      exitCode: 2,
    });
  });

  it("says for whom a flag is that does not belong here", () => {
    const error = refusal(() => prepare("pony", "txt2img", { num_frames: "49", reference_image: "a.png" }));
    expect(error.message).toBe(
      "--num-frames is for anisora, phr00t. --reference-image is for anisora i2v, phr00t i2v, pony img2img, flux img2img. " +
        "This would be pony txt2img; choose with --model and --mode.",
    );
  });

  it("misses a required picture by the name of its flag", () => {
    expect(refusal(() => prepare("pony", "img2img", {})).message).toContain("--reference-image");
  });

  it("refuses a blank prompt", () => {
    expect(refusal(() => prepare("pony", "txt2img", {}, "  ")).message).toContain("prompt");
  });
});
