import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { catalog, findModel, parametersOf } from "./catalog.ts";
import { requestSchema } from "./request-schema.ts";
import type { Mode } from "./types.ts";

const pairs = catalog.models.flatMap((model) => model.modes.map(({ id }) => [model.id, id] as const));

function schemaOf(id: string, mode: Mode): Record<string, unknown> {
  const model = findModel(id);
  if (model === undefined) throw new Error(`no model ${id}`);
  return { ...requestSchema(model, mode) };
}

describe("the JSON Schema of a model and mode", () => {
  test.each(pairs)("%s %s is valid 2020-12 and names exactly the parameters in force", (id, mode) => {
    const schema = schemaOf(id, mode);
    expect(new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).validateSchema(schema)).toBe(true);
    const model = findModel(id);
    const names = model === undefined ? [] : parametersOf(model, mode).map(({ name }) => name);
    expect(Object.keys(schema["properties"] ?? {})).toEqual(["model", "mode", "type", "workspace", ...names]);
    expect(schema["additionalProperties"]).toBe(false);
  });

  test("requires the mode unless it is the default", () => {
    expect(schemaOf("flux", "txt2img")["required"]).toEqual(["model", "prompt"]);
    expect(schemaOf("flux", "img2img")["required"]).toEqual(["model", "mode", "prompt", "reference_image"]);
  });

  test("lists the frames, since they count in fours from 49 and not from 0", () => {
    const frames = Array.from({ length: 29 }, (_, index) => 49 + index * 4);
    expect(schemaOf("anisora", "t2v")["properties"]).toMatchObject({ num_frames: { enum: frames, default: 81 } });
    expect(schemaOf("flux", "txt2img")["properties"]).toMatchObject({
      width: { minimum: 512, maximum: 1280, multipleOf: 16 },
    });
  });

  test("takes the alias beside the id", () => {
    expect(schemaOf("phr00t", "t2v")["properties"]).toMatchObject({ model: { enum: ["phr00t", "wan-remix"] } });
  });

  test("does not say decimal steps, which bind nobody", () => {
    expect(JSON.stringify(schemaOf("pony", "txt2img")["properties"])).not.toContain('"multipleOf":0.5');
  });

  test("is built once", () => {
    const model = findModel("anisora");
    if (model === undefined) throw new Error("no model");
    expect(requestSchema(model, "arbitrary_frame")).toBe(requestSchema(model, "arbitrary_frame"));
  });
});
