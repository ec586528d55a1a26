import { describe, expect, test } from "vitest";
import { catalog, findMode, findModel, parametersOf } from "./catalog.ts";
import { type CheckedRequest, checkRequest, type Refusal } from "./check.ts";
import type { FieldErrorCode } from "./field-errors.ts";
import type { ModelEntry } from "./types.ts";

type Body = Record<string, unknown>;

const upload = `sha256-${"0123456789abcdef".repeat(4)}`;
const keyframes = (...indices: number[]): Body[] => indices.map((frame_index) => ({ frame_index, image: upload }));

const pairs = catalog.models.flatMap((model) => model.modes.map(({ id }) => [model.id, id] as const));

/** The smallest body that is accepted for a pair. */
function minimal(modelId: string, mode: string): Body {
  const body: Body = { model: modelId, mode, prompt: "a red boat at sea" };
  for (const name of findMode(modelNamed(modelId), mode)?.requires ?? [])
    body[name] = name === "arbitrary_frames" ? keyframes(0, 48) : upload;
  return body;
}

function modelNamed(id: string): ModelEntry {
  const model = findModel(id);
  if (model === undefined) throw new Error(`no model ${id}`);
  return model;
}

function accepted(body: Body): CheckedRequest {
  const result = checkRequest(body);
  if (!result.ok) throw new Error(result.detail);
  return result;
}

function refused(body: Body): Refusal {
  const result = checkRequest(body);
  if (result.ok) throw new Error("accepted");
  return result;
}

/** The code of the one mistake, after making sure that there is exactly one. */
function mistake(body: Body, field: string): FieldErrorCode | undefined {
  const { errors } = refused(body);
  expect(errors.map((error) => error.field)).toEqual([field]);
  return errors[0]?.code;
}

describe("an accepted request", () => {
  test.each(pairs)("%s %s gets every default, locked parameters included", (model, mode) => {
    const result = accepted(minimal(model, mode));
    const inForce = parametersOf(modelNamed(model), mode).filter(({ name }) => !name.endsWith("prompt"));
    expect(Object.keys(result.parameters).sort()).toEqual(inForce.map(({ name }) => name).sort());
    for (const { name, default: value, type } of inForce)
      if (type !== "image" && type !== "keyframes") expect(result.parameters[name], name).toBe(value);
    expect(result).toMatchObject({ model, mode, negative_prompt: "", workspace: null });
  });

  test("keeps what was sent", () => {
    const sent = { seed: 7, width: 512, guidance_scale: 2.25, sampler: "flow-matching", output_format: "webp" };
    const body = {
      ...minimal("flux", "txt2img"),
      ...sent,
      negative_prompt: "fog",
      workspace: "studio-1",
      type: "image",
    };
    expect(accepted(body)).toMatchObject({
      negative_prompt: "fog",
      workspace: "studio-1",
      type: "image",
      parameters: sent,
    });
  });

  test("without a mode means the default mode; an alias is answered as the model it stands for", () => {
    expect(accepted({ model: "wan-remix", prompt: "x" })).toMatchObject({
      model: "phr00t",
      mode: "t2v",
      type: "video",
    });
    expect(accepted({ model: "pony", prompt: "x" })).toMatchObject({ model: "pony", mode: "txt2img", type: "image" });
  });

  test("fills in the strength of a keyframe and leaves the caller's body alone", () => {
    const frames = [{ frame_index: 0, image: upload, strength: 0.5 }, ...keyframes(80)];
    const body = { ...minimal("anisora", "arbitrary_frame"), arbitrary_frames: frames };
    const before = structuredClone(body);
    expect(accepted(body).parameters["arbitrary_frames"]).toEqual([
      { frame_index: 0, image: upload, strength: 0.5 },
      { frame_index: 80, image: upload, strength: 0.85 },
    ]);
    expect(body).toEqual(before);
  });

  test("may state locked parameters at their value and workspace as null", () => {
    const body = { ...minimal("phr00t", "t2v"), steps: 4, cfg_scale: 1.0, workspace: null };
    expect(accepted(body).parameters).toMatchObject({ steps: 4, cfg_scale: 1 });
  });

  test.each([
    ["2000 letters", "x".repeat(2000)],
    ["2000 characters outside the basic plane", "🌊".repeat(2000)],
    ["other alphabets and line breaks", "красная лодка\nна море\t🌅"],
  ])("may have a prompt of %s", (_what, prompt) => {
    expect(accepted({ model: "flux", prompt }).prompt).toBe(prompt);
  });

  test.each(["png", "jpeg", "webp"])("may carry a picture as a data URI of %s", (type) => {
    const reference_image = `data:image/${type};base64,AAAA`;
    expect(accepted({ ...minimal("flux", "img2img"), reference_image }).parameters).toMatchObject({ reference_image });
  });
});

describe("limits", () => {
  const numbers = pairs.flatMap(([model, mode]) =>
    parametersOf(modelNamed(model), mode)
      .filter(({ min, max }) => min !== undefined && max !== undefined)
      .map((parameter) => [model, mode, parameter.name, parameter] as const),
  );

  test.each(numbers)(
    "%s %s %s: both ends pass, one beyond fails",
    (model, mode, name, { type, min = 0, max = 0, step = 1 }) => {
      const body = minimal(model, mode);
      const beyond = type === "integer" ? 1 : 0.001;
      expect(checkRequest({ ...body, [name]: min }).ok).toBe(true);
      expect(checkRequest({ ...body, [name]: max }).ok).toBe(true);
      expect(mistake({ ...body, [name]: min - beyond }, name)).toBe("below_minimum");
      expect(mistake({ ...body, [name]: max + beyond }, name)).toBe("above_maximum");
      if (type === "integer" && step > 1) {
        expect(checkRequest({ ...body, [name]: min + step }).ok).toBe(true);
        expect(mistake({ ...body, [name]: min + 1 }, name)).toBe("not_a_step");
        expect(mistake({ ...body, [name]: max - 1 }, name)).toBe("not_a_step");
      }
      expect(mistake({ ...body, [name]: String(min) }, name)).toBe("wrong_type");
      expect(mistake({ ...body, [name]: null }, name)).toBe("wrong_type");
      if (type === "integer") expect(mistake({ ...body, [name]: min + 0.5 }, name)).toBe("wrong_type");
    },
  );

  test("decimal steps are hints only", () => {
    expect(accepted({ model: "pony", prompt: "x", cfg_scale: 6.125 }).parameters).toMatchObject({ cfg_scale: 6.125 });
  });

  const options = pairs.flatMap(([model, mode]) =>
    parametersOf(modelNamed(model), mode).flatMap((parameter) =>
      parameter.options === undefined ? [] : [[model, mode, parameter.name, parameter.options] as const],
    ),
  );

  test.each(options)("%s %s %s takes its options and nothing else", (model, mode, name, values) => {
    const body = minimal(model, mode);
    for (const value of values) expect(checkRequest({ ...body, [name]: value }).ok).toBe(true);
    for (const value of ["", "euler", String(values[0]).toUpperCase() + " ", 12, null, [], {}])
      expect(mistake({ ...body, [name]: value }, name)).toBe("not_an_option");
  });

  test.each([
    ["", "blank"],
    [" \n\t\u00a0", "blank"],
    ["x".repeat(2001), "too_long"],
    ["🌊".repeat(2001), "too_long"],
    ["a\u0000b", "forbidden_character"],
    [7, "wrong_type"],
    [null, "wrong_type"],
    [["x"], "wrong_type"],
  ])("prompt %j is refused as %s", (prompt, code) => {
    expect(mistake({ model: "flux", prompt }, "prompt")).toBe(code);
  });

  test("negative_prompt takes 1000 characters and may be empty", () => {
    expect(checkRequest({ model: "flux", prompt: "x", negative_prompt: "" }).ok).toBe(true);
    expect(checkRequest({ model: "flux", prompt: "x", negative_prompt: "x".repeat(1000) }).ok).toBe(true);
    expect(mistake({ model: "flux", prompt: "x", negative_prompt: "x".repeat(1001) }, "negative_prompt")).toBe(
      "too_long",
    );
  });
});

describe("keyframes", () => {
  const body = (arbitrary_frames: unknown, more: Body = {}): Body => ({
    ...minimal("anisora", "arbitrary_frame"),
    arbitrary_frames,
    ...more,
  });

  test("2 to 16 of them", () => {
    expect(mistake(body([]), "arbitrary_frames")).toBe("too_short");
    expect(mistake(body(keyframes(0)), "arbitrary_frames")).toBe("too_short");
    const many = Array.from({ length: 16 }, (_, index) => index);
    expect(checkRequest(body(keyframes(...many))).ok).toBe(true);
    expect(mistake(body(keyframes(...many, 16)), "arbitrary_frames")).toBe("too_long");
    expect(mistake(body({ 0: keyframes(0) }), "arbitrary_frames")).toBe("wrong_type");
  });

  test("each at its own frame", () => {
    expect(mistake(body(keyframes(0, 5, 5)), "arbitrary_frames[2].frame_index")).toBe("duplicate");
  });

  test.each([
    [49, 48],
    [81, 80],
    [161, 160],
  ])("with %i frames the last index is %i", (num_frames, last) => {
    expect(checkRequest(body(keyframes(0, last), { num_frames })).ok).toBe(true);
    const code = last === 160 ? "above_maximum" : "out_of_range";
    expect(mistake(body(keyframes(0, last + 1), { num_frames }), "arbitrary_frames[1].frame_index")).toBe(code);
  });

  test("without num_frames its default counts", () => {
    expect(checkRequest(body(keyframes(0, 80))).ok).toBe(true);
    expect(mistake(body(keyframes(0, 81)), "arbitrary_frames[1].frame_index")).toBe("out_of_range");
  });

  test.each<[unknown, string, FieldErrorCode]>([
    [7, "", "wrong_type"],
    [null, "", "wrong_type"],
    [[0, upload], "", "wrong_type"],
    [{ image: upload }, ".frame_index", "required"],
    [{ frame_index: 3 }, ".image", "required"],
    [{ frame_index: -1, image: upload }, ".frame_index", "below_minimum"],
    [{ frame_index: 1.5, image: upload }, ".frame_index", "wrong_type"],
    [{ frame_index: 3, image: "boat.png" }, ".image", "pattern"],
    [{ frame_index: 3, image: upload, strength: 0.09 }, ".strength", "below_minimum"],
    [{ frame_index: 3, image: upload, strength: 1.01 }, ".strength", "above_maximum"],
    [{ frame_index: 3, image: upload, weight: 1 }, "", "unknown_parameter"],
  ])("%j is refused at %j as %s", (item, place, code) => {
    expect(mistake(body([...keyframes(0), item]), `arbitrary_frames[1]${place}`)).toBe(code);
  });
});

describe("references", () => {
  test.each(pairs)("%s %s needs each of its own and takes no other", (model, mode) => {
    const body = minimal(model, mode);
    const own = findMode(modelNamed(model), mode)?.requires ?? [];
    for (const name of own) {
      const { [name]: _left, ...rest } = body;
      expect(mistake(rest, name)).toBe("required");
    }
    const elsewhere = modelNamed(model).parameters.filter(({ modes }) => !modes.includes(mode));
    for (const { name } of elsewhere) expect(mistake({ ...body, [name]: upload }, name)).toBe("wrong_mode");
  });

  test.each([
    "",
    "boat.png",
    "sha256-",
    `sha256-${"A".repeat(64)}`,
    `${upload}0`,
    ` ${upload}`,
    `${upload}\n`,
    "https://example.org/boat.png",
    "data:image/gif;base64,AAAA",
    "data:image/svg+xml;base64,AAAA",
    "data:image/png,AAAA",
    "../../etc/hosts",
  ])("a picture cannot be %j", (reference_image) => {
    expect(mistake({ ...minimal("flux", "img2img"), reference_image }, "reference_image")).toBe("pattern");
  });
});

describe("a refusal has one code", () => {
  const locked = [
    ["anisora", "steps", 9],
    ["anisora", "steps", "8"],
    ["phr00t", "steps", 5],
    ["phr00t", "cfg_scale", 1.5],
    ["phr00t", "cfg_scale", null],
  ] as const;

  test.each(locked)("parameter_locked for %s with %s %j", (model, name, value) => {
    const refusal = refused({ model, prompt: "x", [name]: value });
    expect(refusal.code).toBe("parameter_locked");
    expect(refusal.errors).toMatchObject([{ field: name, code: "locked" }]);
    expect(refusal.detail).toContain(name);
  });

  test("validation_failed when something else is wrong too, and the locked one is named with it", () => {
    const refusal = refused({ model: "anisora", prompt: "", steps: 9 });
    expect(refusal.code).toBe("validation_failed");
    expect(refusal.errors.map(({ field, code }) => [field, code])).toEqual([
      ["prompt", "blank"],
      ["steps", "locked"],
    ]);
  });

  test.each(["sdxl", "", "constructor", "__proto__"])("unknown_model for %j", (model) => {
    expect(refused({ model, prompt: "x" }).code).toBe("unknown_model");
  });

  test.each([
    ["flux", "t2v"],
    ["phr00t", "arbitrary_frame"],
    ["anisora", ""],
    ["pony", "toString"],
  ])("unsupported_mode for %s with %j", (model, mode) => {
    expect(refused({ model, mode, prompt: "x" }).code).toBe("unsupported_mode");
  });

  test.each<[Body, string, FieldErrorCode]>([
    [{ prompt: "x" }, "model", "required"],
    [{ model: 3, prompt: "x" }, "model", "wrong_type"],
    [{ model: null, prompt: "x" }, "model", "wrong_type"],
    [{ model: "flux", mode: 1, prompt: "x" }, "mode", "wrong_type"],
    [{ model: "flux", mode: null, prompt: "x" }, "mode", "wrong_type"],
    [{ model: "flux", type: "video", prompt: "x" }, "type", "mismatch"],
    [{ model: "flux", type: null, prompt: "x" }, "type", "mismatch"],
    [{ model: "flux" }, "prompt", "required"],
    [{ model: "flux", prompt: "x", workspace: "A B" }, "workspace", "pattern"],
    [{ model: "flux", prompt: "x", workspace: "ab" }, "workspace", "pattern"],
    [{ model: "flux", prompt: "x", workspace: "a".repeat(65) }, "workspace", "pattern"],
    [{ model: "flux", prompt: "x", workspace: "studio-1\n" }, "workspace", "pattern"],
    [{ model: "flux", prompt: "x", workspace: 5 }, "workspace", "wrong_type"],
    [{ model: "flux", prompt: "x", cfg_scale: 7 }, "cfg_scale", "unknown_parameter"],
    [{ model: "pony", prompt: "x", guidance_scale: 7 }, "guidance_scale", "unknown_parameter"],
    [{ model: "flux", prompt: "x", Seed: 7 }, "Seed", "unknown_parameter"],
    [{ model: "flux", prompt: "x", constructor: 7 }, "constructor", "unknown_parameter"],
    [JSON.parse('{ "model": "flux", "prompt": "x", "__proto__": { "seed": 1 } }'), "__proto__", "unknown_parameter"],
  ])("validation_failed for %j, at %s: %s", (body, field, code) => {
    expect(refused(body).code).toBe("validation_failed");
    expect(mistake(body, field)).toBe(code);
  });

  test("and names every field at fault, in the order of the form", () => {
    const { errors } = refused({ model: "flux", width: 511, height: 1281, steps: 14, sampler: "none", surprise: 1 });
    expect(errors.map(({ field }) => field)).toEqual(["prompt", "width", "height", "steps", "sampler", "surprise"]);
    for (const { message } of errors) expect(message).toMatch(/^\w.*\.$/);
  });

  test("is not made of inherited properties", () => {
    const body: Body = Object.create({ model: "flux", prompt: "x" });
    expect(mistake(body, "model")).toBe("required");
  });
});

describe("hostile bodies stay cheap", () => {
  // What this process has computed: the time that others take from it on a busy machine is not the check's.
  const timed = (body: Body): { ms: number; size: number; ok: boolean } => {
    const start = process.cpuUsage();
    const result = checkRequest(body);
    const { user, system } = process.cpuUsage(start);
    return {
      ms: (user + system) / 1000,
      ok: result.ok,
      size: JSON.stringify(result.ok ? result.parameters : result.errors).length,
    };
  };

  // Generous: the point is that none of these takes minutes or memory without end.
  const patience = 3_000;

  test.each<[string, () => Body]>([
    ["a prompt of 60 MB", () => ({ model: "flux", prompt: "x".repeat(60_000_000) })],
    ["a model name of 60 MB", () => ({ model: "x".repeat(60_000_000), prompt: "x" })],
    ["a blank prompt of 60 MB", () => ({ model: "flux", prompt: " ".repeat(60_000_000) })],
    [
      "two million keyframes",
      () => ({
        ...minimal("anisora", "arbitrary_frame"),
        arbitrary_frames: Array.from({ length: 2_000_000 }, () => 0),
      }),
    ],
    [
      "half a million unknown parameters",
      () => Object.fromEntries([["model", "flux"], ...Array.from({ length: 500_000 }, (_, index) => [`p${index}`, 1])]),
    ],
    [
      "a keyframe with half a million properties",
      () => ({
        ...minimal("anisora", "arbitrary_frame"),
        arbitrary_frames: [Object.fromEntries(Array.from({ length: 500_000 }, (_, index) => [`p${index}`, 1])), 2],
      }),
    ],
    ["a parameter with a name of 10 MB", () => ({ model: "flux", prompt: "x", ["n".repeat(10_000_000)]: 1 })],
    [
      "a broken picture of 60 MB",
      () => ({ ...minimal("flux", "img2img"), reference_image: "sha256-".repeat(8_000_000) }),
    ],
  ])("%s", (_what, build) => {
    const { ms, size } = timed(build());
    expect(ms).toBeLessThan(patience);
    expect(size).toBeLessThan(20_000);
  });

  test("a picture of 27 MB as a data URI is looked at only at its beginning", () => {
    const reference_image = `data:image/png;base64,${"A".repeat(27_000_000)}`;
    const { ms, ok } = timed({ ...minimal("flux", "img2img"), reference_image });
    expect(ok).toBe(true);
    expect(ms).toBeLessThan(patience);
  });
});
