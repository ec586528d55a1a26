import { catalog, findModel } from "@safelight/catalog";
import { describe, expect, test } from "vitest";
import { describeCatalogModel } from "./catalog-model.ts";

function described(id: string): ReturnType<typeof describeCatalogModel> {
  const model = findModel(id);
  if (model === undefined) throw new Error(`no model ${id}`);
  return describeCatalogModel(model);
}

describe("the catalog part of GET /models", () => {
  test("names what existing clients read (contract shapes)", () => {
    expect(described("flux")).toMatchObject({
      id: "flux",
      name: "FLUX.1 [dev]",
      type: "image",
      category: "photography",
      description: expect.any(String),
      modes: ["txt2img", "img2img"],
      default_mode: "txt2img",
      fixed_parameters: {},
      licence: { link: expect.stringMatching(/^https:/) },
    });
    expect(described("flux").parameters_schema["steps"]).toMatchObject({
      type: "integer",
      default: 25,
      min: 15,
      max: 50,
      step: 1,
      locked: false,
      modes: ["txt2img", "img2img"],
    });
    expect(described("phr00t").parameters_schema["fps"]).toMatchObject({ options: [8, 16, 24], default: 16 });
  });

  test("lists locked parameters with their values", () => {
    expect(described("phr00t").fixed_parameters).toEqual({ steps: 4, cfg_scale: 1 });
    expect(described("anisora").fixed_parameters).toEqual({ steps: 8 });
  });

  test("says in which modes a parameter may and must be sent", () => {
    const { parameters_schema } = described("anisora");
    expect(parameters_schema["prompt"]?.required_in).toEqual(["t2v", "i2v", "first_last_frame", "arbitrary_frame"]);
    expect(parameters_schema["reference_image"]).toMatchObject({ modes: ["i2v"], required_in: ["i2v"] });
    expect(parameters_schema["arbitrary_frames"]).toMatchObject({
      required_in: ["arbitrary_frame"],
      min_items: 2,
      max_items: 16,
    });
    expect(parameters_schema["seed"]?.required_in).toEqual([]);
  });

  test("keeps the order of the form", () => {
    for (const model of catalog.models)
      expect(Object.keys(describeCatalogModel(model).parameters_schema)).toEqual(
        model.parameters.map(({ name }) => name),
      );
  });

  test("may be changed by whoever gets it", () => {
    const first = described("flux");
    first.modes.push("more");
    expect(described("flux").modes).toEqual(["txt2img", "img2img"]);
    expect(Object.isFrozen(findModel("flux")?.modes)).toBe(true);
  });
});
