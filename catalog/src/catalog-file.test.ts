import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import file from "../inference_settings.json" with { type: "json" };
import schema from "../inference_settings.schema.json" with { type: "json" };
import { catalog, isRequired, parametersOf } from "./catalog.ts";
import { readCatalog } from "./read.ts";
import type { CatalogFile, ParameterEntry } from "./types.ts";

const accepts = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(schema);

describe("the catalog file", () => {
  test("has the shape that its schema describes", () => {
    expect(accepts(file), JSON.stringify(accepts.errors)).toBe(true);
  });

  test.each([
    [
      "a parameter without a Russian label",
      (copy: CatalogFile) => change(copy.models[0]?.parameters[0], "label", { en: "Frames" }),
    ],
    ["an unknown key", (copy: CatalogFile) => change(copy.models[1], "vram", 24)],
    ["a number without limits", (copy: CatalogFile) => change(named(copy, "motion_score"), "max", undefined)],
    ["a locked parameter without a value", (copy: CatalogFile) => change(named(copy, "steps"), "default", undefined)],
    ["a mode nobody knows", (copy: CatalogFile) => change(copy.models[3], "modes", ["txt2img", "inpaint"])],
  ])("is refused by its schema with %s", (_what, spoil) => {
    const copy = JSON.parse(JSON.stringify(file));
    spoil(copy);
    expect(accepts(JSON.parse(JSON.stringify(copy)))).toBe(false);
  });

  test("names only parameters that exist where it refers to some", () => {
    for (const model of catalog.models) {
      const names = new Set(model.parameters.map(({ name }) => name));
      const referred = [
        ...model.modes.flatMap(({ requires }) => requires),
        ...model.notes.flatMap((note) => [note.parameter, ...(note.when ? [note.when.parameter] : [])]),
        ...model.parameters.flatMap(({ depends_on = [], fields = [] }) => [
          ...depends_on,
          ...fields.flatMap(({ less_than }) => less_than ?? []),
        ]),
        ...Object.values(model.presets)
          .flat()
          .flatMap(({ values }) => Object.keys(values)),
      ];
      expect(referred.filter((name) => !names.has(name))).toEqual([]);
      for (const mode of model.modes) {
        const inForce = parametersOf(model, mode.id).map(({ name }) => name);
        expect(inForce).toEqual([...new Set(inForce)]);
        expect(inForce).toEqual(expect.arrayContaining([...mode.requires]));
        expect(mode.type).toBe(model.type);
      }
    }
  });

  test("labels every text option that is not a proper name, in both languages", () => {
    for (const parameter of catalog.models.flatMap(({ parameters }) => parameters)) {
      if (parameter.options === undefined || parameter.name === "sampler" || parameter.type !== "string") continue;
      expect(Object.keys(parameter.option_labels ?? {}).sort()).toEqual(parameter.options.map(String).sort());
    }
  });

  test("gives a default to everything that may be left out", () => {
    for (const model of catalog.models)
      for (const { id } of model.modes)
        for (const parameter of parametersOf(model, id))
          expect(isRequired(model, id, parameter) || parameter.default !== undefined, `${id} ${parameter.name}`).toBe(
            true,
          );
  });

  test("gives defaults that are allowed themselves", () => {
    for (const { default: value, min, max, step, options, type } of catalog.models.flatMap(
      ({ parameters }) => parameters,
    )) {
      if (options !== undefined) expect(options).toContain(value);
      if (typeof value !== "number" || min === undefined || max === undefined) continue;
      expect(value).toBeGreaterThanOrEqual(min);
      expect(value).toBeLessThanOrEqual(max);
      if (type === "integer") expect((value - min) % (step ?? 1)).toBe(0);
    }
  });

  test("that names a mode nobody described cannot be read", () => {
    const broken = { ...(file as unknown as CatalogFile), modes: [] };
    expect(() => readCatalog(broken)).toThrow("no mode named t2v");
  });
});

function named(copy: CatalogFile, name: string): ParameterEntry | undefined {
  return copy.models[0]?.parameters.find((parameter) => parameter.name === name) as ParameterEntry | undefined;
}

function change(target: object | undefined, key: string, value: unknown): void {
  Object.assign(target ?? {}, { [key]: value });
}
