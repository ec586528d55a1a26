import { catalog, parametersOf } from "@safelight/catalog";
import { describe, expect, it } from "vitest";
import { flagName, flagsFor } from "./flags.ts";
import { pairsFor } from "./pairs.ts";

const pairs = pairsFor();

it("knows the eleven pairs of model and mode", () => {
  expect(pairs.map(({ model, mode }) => `${model.id} ${mode.id}`)).toEqual([
    "anisora t2v",
    "anisora i2v",
    "anisora first_last_frame",
    "anisora arbitrary_frame",
    "phr00t t2v",
    "phr00t i2v",
    "phr00t first_last_frame",
    "pony txt2img",
    "pony img2img",
    "flux txt2img",
    "flux img2img",
  ]);
});

describe.each(pairs)("flags of $model.id $mode.id", (pair) => {
  const flags = flagsFor([pair]);
  const parameters = parametersOf(pair.model, pair.mode.id).filter(({ name }) => name !== "prompt");

  it("are the parameters of the catalog in kebab-case, none more, none less (FR-003)", () => {
    expect(flags.map(({ parameter }) => parameter)).toEqual(parameters.map(({ name }) => name));
    for (const { parameter, name } of flags) {
      expect(name).toBe(`--${parameter.split("_").join("-")}`);
      expect(name).toMatch(/^--[a-z]+(?:-[a-z]+)*$/);
    }
  });

  it("say limits, options and defaults of this pair", () => {
    for (const parameter of parameters) {
      const description = flags.find((flag) => flag.parameter === parameter.name)?.description ?? "";
      if (parameter.locked) expect(description).toContain(`fixed at ${String(parameter.default)}`);
      else if (parameter.min !== undefined) expect(description).toContain(`${parameter.min} to ${parameter.max}`);
      for (const option of parameter.locked ? [] : (parameter.options ?? []))
        expect(description).toContain(String(option));
      expect(description).not.toContain("only");
    }
  });

  it("take files for pictures, numbers for numbers", () => {
    for (const parameter of parameters) {
      const kind = flags.find((flag) => flag.parameter === parameter.name)?.kind;
      const expected = {
        string: "text",
        integer: "number",
        number: "number",
        image: "image",
        keyframes: "keyframes",
      } as const;
      expect(kind).toBe(expected[parameter.type]);
    }
  });
});

describe("flags of all pairs together", () => {
  const flags = flagsFor(pairs);
  const descriptionOf = (parameter: string) => flags.find((flag) => flag.parameter === parameter)?.description ?? "";

  it("cover every parameter of every model once", () => {
    const names = new Set(catalog.models.flatMap((model) => model.parameters.map(({ name }) => name)));
    names.delete("prompt");
    expect(new Set(flags.map(({ parameter }) => parameter))).toEqual(names);
    expect(new Set(flags.map(({ name }) => name)).size).toBe(flags.length);
  });

  it("tell models apart where their limits differ", () => {
    expect(descriptionOf("steps")).toBe(
      "Steps (anisora: fixed at 8; phr00t: fixed at 4; pony: 20 to 60, default 30; flux: 15 to 50, default 25)",
    );
  });

  it("say for whom they are where not everyone has them", () => {
    expect(descriptionOf("reference_image")).toContain("only i2v, img2img");
    expect(descriptionOf("clip_skip")).toContain("only pony");
    expect(descriptionOf("seed")).not.toContain("only");
  });

  it("have a short name for keyframes", () => {
    const flag = flags.find(({ parameter }) => parameter === "arbitrary_frames");
    expect(flag?.syntax).toBe("--keyframe, --arbitrary-frames <frame:file[:strength]>");
  });
});

it("flagName", () => {
  expect(flagName("num_frames")).toBe("--num-frames");
});
