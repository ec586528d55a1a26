// The table of the specification, written out once more on purpose: an edit of the catalog that changes a limit has to be
// made here too.
import { describe, expect, test } from "vitest";
import { catalog, findMode, findModel, isRequired, parametersOf } from "./catalog.ts";
import type { Mode, ModelEntry, ParameterEntry } from "./types.ts";

const i2v = ["i2v"];
const both = ["i2v", "arbitrary_frame"];
const flf = ["first_last_frame"];

interface Row {
  readonly default?: unknown;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly options?: readonly unknown[];
  readonly locked?: boolean;
  readonly modes?: readonly string[];
}

const range = (value: number, min: number, max: number, more: Row = {}): Row => ({ default: value, min, max, ...more });
const side = (value: number): Row => range(value, 512, 1280, { step: 16 });
const seed = range(-1, -1, 2147483647);
const frames = { num_frames: range(81, 49, 161, { step: 4 }), fps: { default: 16, options: [8, 16, 24] } };
const video = {
  width: side(720),
  height: side(1280),
  seed,
  ...frames,
  output_format: { default: "mp4", options: ["mp4", "webm"] },
};
const image = {
  width: side(1024),
  height: side(1024),
  seed,
  output_format: { default: "png", options: ["png", "jpeg", "webp"] },
  denoising_strength: range(0.7, 0, 1, { modes: ["img2img"] }),
};
const edges = { first_strength: range(1, 0.5, 1, { modes: flf }), last_strength: range(1, 0.5, 1, { modes: flf }) };

const specification: Record<string, Record<string, Row>> = {
  anisora: {
    ...video,
    ...edges,
    steps: { default: 8, locked: true },
    guidance_scale: range(1, 1, 10),
    motion_score: range(3, 0, 5),
    reference_strength: range(0.85, 0.1, 1, { modes: both }),
    denoising_strength: range(0.7, 0, 1, { modes: both }),
    arbitrary_frames: { default: [], modes: ["arbitrary_frame"] },
  },
  phr00t: {
    ...video,
    ...edges,
    steps: { default: 4, locked: true },
    cfg_scale: { default: 1, locked: true },
    lighting_variant: { default: "low_noise", options: ["high_noise", "low_noise"] },
    reference_strength: range(1, 0.5, 1, { modes: i2v }),
    denoising_strength: range(0.7, 0, 1, { modes: i2v }),
  },
  pony: {
    ...image,
    steps: range(30, 20, 60),
    cfg_scale: range(6, 1, 12, { step: 0.5 }),
    sampler: { default: "Euler a", options: ["Euler a", "DPM++ 2M Karras", "DPM++ SDE Karras"] },
    clip_skip: range(2, 1, 4),
  },
  flux: {
    ...image,
    steps: range(25, 15, 50),
    guidance_scale: range(3.5, 1, 10, { step: 0.1 }),
    sampler: { default: "Euler", options: ["Euler", "flow-matching"] },
  },
};

const pictures = ["reference_image", "first_frame_image", "last_frame_image"];

function model(id: string): ModelEntry {
  const found = findModel(id);
  if (found === undefined) throw new Error(`no model ${id}`);
  return found;
}

function parameter(id: string, name: string): ParameterEntry {
  const found = model(id).parameters.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no parameter ${name} of ${id}`);
  return found;
}

describe("the catalog holds the specification", () => {
  test("exactly four models with their types and modes, default first", () => {
    expect(catalog.models.map(({ id, type, modes }) => [id, type, modes.map((mode) => mode.id)])).toEqual([
      ["anisora", "video", ["t2v", "i2v", "first_last_frame", "arbitrary_frame"]],
      ["phr00t", "video", ["t2v", "i2v", "first_last_frame"]],
      ["pony", "image", ["txt2img", "img2img"]],
      ["flux", "image", ["txt2img", "img2img"]],
    ]);
  });

  test.each(Object.keys(specification))("every parameter of %s, no more and no fewer", (id) => {
    const rows = specification[id] ?? {};
    const own = model(id).parameters.filter(({ name }) => !["prompt", "negative_prompt", ...pictures].includes(name));
    expect(own.map(({ name }) => name).sort()).toEqual(Object.keys(rows).sort());
    for (const entry of own) {
      const { modes = model(id).modes.map((mode) => mode.id), ...row } = rows[entry.name] ?? {};
      expect(entry, `${id} ${entry.name}`).toMatchObject({ locked: false, ...row });
      expect(entry.modes, `${id} ${entry.name}`).toEqual(modes);
      for (const key of ["min", "max", "options"] as const)
        expect(key in entry, `${id} ${entry.name} ${key}`).toBe(key in row);
    }
  });

  test("prompts and keyframes with their limits", () => {
    expect(parameter("flux", "prompt")).toMatchObject({
      required: true,
      min_length: 1,
      max_length: 2000,
      not_blank: true,
    });
    expect(parameter("flux", "negative_prompt")).toMatchObject({ default: "", max_length: 1000 });
    const { min_items, max_items, fields = [] } = parameter("anisora", "arbitrary_frames");
    expect([min_items, max_items]).toEqual([2, 16]);
    expect(fields).toMatchObject([
      { name: "frame_index", required: true, min: 0, max: 160, distinct: true, less_than: "num_frames" },
      { name: "image", required: true },
      { name: "strength", default: 0.85, min: 0.1, max: 1 },
    ]);
  });

  test.each([
    ["t2v", []],
    ["i2v", ["reference_image"]],
    ["first_last_frame", ["first_frame_image", "last_frame_image"]],
    ["arbitrary_frame", ["arbitrary_frames"]],
  ] as const)("%s requires %j besides the prompt", (mode, required) => {
    const anisora = model("anisora");
    const names = parametersOf(anisora, mode)
      .filter((entry) => isRequired(anisora, mode, entry))
      .map(({ name }) => name);
    expect(names.sort()).toEqual(["prompt", ...required].sort());
  });

  test("presets of aspect and duration", () => {
    expect(model("phr00t").presets.aspect.map(({ id, values }) => [id, values["width"], values["height"]])).toEqual([
      ["9:16", 720, 1280],
      ["16:9", 1280, 720],
      ["1:1", 896, 896],
      ["4:5", 896, 1120],
      ["16:10", 1152, 720],
    ]);
    expect(model("phr00t").presets.duration.map(({ id, values }) => [id, values["fps"], values["num_frames"]])).toEqual(
      [
        ["3s", 16, 49],
        ["5s", 16, 81],
        ["8s", 16, 129],
        ["10s", 16, 161],
      ],
    );
    expect(model("flux").presets.duration).toEqual([]);
  });

  test("the smallest size of an aspect is the smallest one of exactly that shape", () => {
    const { min = 0, max = 0, step = 1 } = parameter("flux", "width");
    for (const { id, smallest } of model("flux").presets.aspect) {
      const [across = 1, down = 1] = id.split(":").map(Number);
      const sizes: { width: number; height: number }[] = [];
      for (let width = min; width <= max; width += step) {
        const height = (width * down) / across;
        if (height >= min && height <= max && height % step === 0) sizes.push({ width, height });
      }
      expect(smallest, id).toEqual(sizes[0]);
    }
    expect(model("flux").presets.aspect.find(({ id }) => id === "1:1")?.smallest).toEqual({ width: 512, height: 512 });
  });

  test("quality presets are about 0.7, 1 and 1.3 times the default, in range, and absent where steps are locked", () => {
    for (const id of ["pony", "flux"]) {
      const { default: usual, min = 0, max = 0 } = parameter(id, "steps");
      const quality = model(id).presets.quality;
      expect(quality.map((preset) => preset.id)).toEqual(["quick_test", "balanced", "high_quality"]);
      [0.7, 1, 1.3].forEach((factor, index) => {
        const steps = quality[index]?.values["steps"] ?? Number.NaN;
        expect(Number.isInteger(steps)).toBe(true);
        expect(Math.abs(steps - Number(usual) * factor)).toBeLessThanOrEqual(0.5);
        expect(steps >= min && steps <= max).toBe(true);
      });
      expect(quality.map(({ smallest_size }) => smallest_size ?? false)).toEqual([true, false, false]);
    }
    expect(model("anisora").presets.quality).toEqual([]);
    expect(model("phr00t").presets.quality).toEqual([]);
  });

  test("recommended resolutions are sizes the model takes", () => {
    const { min = 0, max = 0, step = 1 } = parameter("flux", "width");
    for (const { width, height } of catalog.models.flatMap((entry) => entry.recommended_resolutions))
      for (const value of [width, height])
        expect(value >= min && value <= max && value % step === 0, `${width}×${height}`).toBe(true);
  });

  test("licences: FLUX.1 [dev] is non-commercial, the video models are Apache-2.0", () => {
    expect(model("flux").licence).toMatchObject({
      commercial_use: "forbidden",
      name: expect.stringContaining("Non-Commercial"),
    });
    for (const id of ["anisora", "phr00t"])
      expect(model(id).licence).toMatchObject({ name: "Apache-2.0", commercial_use: "allowed" });
    expect(model("pony").licence.commercial_use).toBe("restricted");
  });

  test("a note says where a negative prompt has no effect", () => {
    expect(model("anisora").notes).toMatchObject([
      { parameter: "negative_prompt", when: { parameter: "guidance_scale", equals: 1 } },
    ]);
    expect(model("phr00t").notes.map(({ parameter: about, when }) => [about, when])).toEqual([
      ["negative_prompt", undefined],
    ]);
  });
});

describe("reading the catalog", () => {
  test("an alias leads to the model it stands for; names of objects lead nowhere", () => {
    expect(findModel("wan-remix")?.id).toBe("phr00t");
    for (const name of ["", "constructor", "__proto__", "Flux", "wan-remix "]) expect(findModel(name)).toBeUndefined();
  });

  test("without a mode the default is meant, a mode of another model is unknown", () => {
    expect(findMode(model("flux"), undefined)?.id).toBe("txt2img");
    expect(findMode(model("flux"), "t2v")).toBeUndefined();
    expect(findMode(model("phr00t"), "arbitrary_frame")).toBeUndefined();
    expect(parametersOf(model("flux"), "t2v" as Mode)).toEqual([]);
  });

  test("cannot be changed by whoever reads it", () => {
    const width = parameter("flux", "width") as { max: number };
    expect(() => {
      width.max = 4096;
    }).toThrow(TypeError);
    expect(Object.isFrozen(catalog.models)).toBe(true);
    expect(Object.isFrozen(parametersOf(model("flux"), "txt2img"))).toBe(true);
  });

  test("asks only for pictures that the model knows", () => {
    expect(parameter("flux", "denoising_strength").depends_on).toEqual(["reference_image"]);
    expect(parameter("anisora", "denoising_strength").depends_on).toEqual(["reference_image", "arbitrary_frames"]);
  });
});
