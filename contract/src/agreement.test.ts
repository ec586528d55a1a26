// The server judges requests by the facts of the catalog; everybody else can only read the published document. Here an
// independent validator (ajv) with the schema out of the committed `openapi.json` judges the same bodies: the two must
// agree on every one, accepted or refused.
import { readFileSync } from "node:fs";
import {
  catalog,
  checkRequest,
  findMode,
  type Mode,
  type ModelEntry,
  type ParameterEntry,
  parametersOf,
} from "@safelight/catalog";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

type Body = Record<string, unknown>;

const document: Body = JSON.parse(readFileSync(new URL("../openapi.json", import.meta.url), "utf8"));
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(document, "openapi");
const publishedAccepts = ajv.compile({
  $ref: "openapi#/paths/~1generate/post/requestBody/content/application~1json/schema",
});

const upload = `sha256-${"ab".repeat(32)}`;
const pairs = catalog.models.flatMap((model) =>
  model.modes.map((mode) => [`${model.id} ${mode.id}`, model, mode.id] as const),
);
const everyName = [...new Set(catalog.models.flatMap(({ parameters }) => parameters.map(({ name }) => name)))];
// The same requests in every run, so that a red build is red again.
const long = process.env["SAFELIGHT_TEST_LONG"] === "1";
const runs = long ? 8_000 : 1_000;
const seed = { seed: long ? 20_260_302 : 20_260_301 };

function agree(body: Body): boolean {
  const server = checkRequest(body).ok;
  const published = publishedAccepts(body);
  if (server !== published)
    throw new Error(
      `server ${server}, document ${published}: ${JSON.stringify(body)} ${JSON.stringify(checkRequest(body))}`,
    );
  return server;
}

const image = fc.constantFrom(
  upload,
  "data:image/png;base64,AAAA",
  "data:image/webp;base64,",
  "data:image/jpeg;base64,//8=",
);
const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    "",
    " ",
    "8",
    [],
    {},
    0,
    -0,
    1e308,
    0.5,
    "data:image/gif;base64,AA",
    `${upload}\n`,
    "\u0000",
  ),
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>,
);

/** Values inside the rules, with both ends often. */
function inside(
  parameter: Pick<ParameterEntry, "type" | "min" | "max" | "step" | "options" | "default" | "locked" | "fields">,
): fc.Arbitrary<unknown> {
  const { type, min = 0, max = 0, step = 1, options, fields } = parameter;
  if (parameter.locked) return fc.constant(parameter.default);
  if (options !== undefined) return fc.constantFrom<unknown>(...options);
  if (type === "image") return image;
  if (type === "string")
    return fc.oneof(fc.constant("a boat"), fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }));
  if (type === "number") return fc.oneof(fc.constantFrom(min, max), fc.double({ min, max, noNaN: true }));
  if (type === "integer")
    return fc.oneof(
      fc.constantFrom(min, max),
      fc.integer({ min: 0, max: Math.floor((max - min) / step) }).map((n) => min + n * step),
    );
  const item = fc.record(
    Object.fromEntries((fields ?? []).map((field) => [field.name, inside({ ...field, locked: false })])),
    {
      requiredKeys: ["frame_index", "image"],
    },
  );
  return fc.uniqueArray(item, { minLength: 2, maxLength: 16, selector: (frame) => frame["frame_index"] });
}

/** Values at and beyond the ends, and of other kinds. */
function outside(parameter: ParameterEntry): fc.Arbitrary<unknown> {
  const { type, min = 0, max = 0, max_length = 0, fields } = parameter;
  if (type === "integer" || type === "number")
    return fc.oneof(
      junk,
      fc.constantFrom<unknown>(min - 1, max + 1, min + 1, max - 1, min + 0.5, max + 0.001, min - 0.001, String(min)),
    );
  if (type === "string")
    return fc.oneof(
      junk,
      fc.constantFrom<unknown>(
        "x".repeat(max_length),
        "x".repeat(max_length + 1),
        "🌊".repeat(max_length),
        "🌊".repeat(max_length + 1),
      ),
    );
  if (type !== "keyframes") return junk;
  const frame = fc.oneof(
    junk,
    fc.record({
      frame_index: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom<unknown>(0, 1, 2, 48, 49, 80, 81, 159, 160, 161, -1) },
        junk,
      ),
      image: fc.oneof({ weight: 4, arbitrary: image }, junk),
      ...Object.fromEntries(
        (fields ?? [])
          .filter(({ name }) => name === "strength")
          .map((field) => [field.name, fc.oneof(inside({ ...field, locked: false }), junk)]),
      ),
    }),
  );
  return fc.oneof(junk, fc.array(frame, { maxLength: 18 }));
}

/** Bodies of a pair: required things mostly there, few to many parameters, and with `spoilt` some of them wrong. */
function bodies(model: ModelEntry, mode: Mode, spoilt: boolean): fc.Arbitrary<Body> {
  const inForce = parametersOf(model, mode);
  const required = ["prompt", ...(findMode(model, mode)?.requires ?? [])];
  const good = fc.record(Object.fromEntries(inForce.map((parameter) => [parameter.name, inside(parameter)])), {
    requiredKeys: required,
  });
  const address = fc.record(
    {
      model: fc.constantFrom(model.id, ...model.aliases),
      mode: fc.constant(mode),
      type: fc.constant(model.type),
      workspace: fc.constantFrom(null, "abc", "studio-1"),
    },
    { requiredKeys: ["model", "mode"] },
  );
  if (!spoilt) return fc.tuple(address, good).map(([head, rest]) => ({ ...head, ...rest }));
  const change = fc.oneof(
    fc.constantFrom(...inForce).chain((parameter) => fc.tuple(fc.constant(parameter.name), outside(parameter))),
    fc.tuple(
      fc.constantFrom(...everyName, "model", "mode", "type", "workspace", "surprise", "constructor", "toString"),
      junk,
    ),
    fc.tuple(fc.constantFrom(...everyName), image),
    fc.tuple(fc.constantFrom(...required, "mode", "model"), fc.constant(undefined)),
  );
  return fc.tuple(address, good, fc.array(change, { minLength: 1, maxLength: 3 })).map(([head, rest, changes]) => {
    const body: Body = { ...head, ...rest };
    for (const [name, value] of changes) {
      if (value === undefined) delete body[name];
      else body[name] = value;
    }
    // As it would arrive: JSON has no -0 and no undefined.
    return JSON.parse(JSON.stringify(body)) as Body;
  });
}

describe("server and published document agree", () => {
  test.each(pairs)("on random requests of %s", (_name, model, mode) => {
    let [accepted, refused] = [0, 0];
    const count = (ok: boolean): void => {
      if (ok) accepted++;
      else refused++;
    };
    fc.assert(
      fc.property(bodies(model, mode, false), (body) => count(agree(body))),
      { numRuns: runs, ...seed },
    );
    fc.assert(
      fc.property(bodies(model, mode, true), (body) => count(agree(body))),
      { numRuns: runs * 2, ...seed },
    );
    // The generators would show nothing if they only ever made one kind.
    expect(accepted).toBeGreaterThan(runs / 10);
    expect(refused).toBeGreaterThan(runs / 10);
  });

  test("on any JSON object at all", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.constantFrom(...everyName, "model", "mode"), fc.string()), junk),
        (body) => {
          agree(JSON.parse(JSON.stringify(body)) as Body);
        },
      ),
      { numRuns: runs, ...seed },
    );
  });

  test.each(pairs)("on every parameter of every other pair sent to %s", (_name, model, mode) => {
    const body: Body = { model: model.id, mode, prompt: "a boat" };
    for (const name of findMode(model, mode)?.requires ?? [])
      body[name] = name === "arbitrary_frames" ? [0, 9].map((frame_index) => ({ frame_index, image: upload })) : upload;
    expect(agree(body)).toBe(true);
    for (const other of catalog.models)
      for (const parameter of other.parameters) {
        const sent = { ...body, [parameter.name]: parameter.default ?? upload };
        const mine = parametersOf(model, mode).find(({ name }) => name === parameter.name);
        if (mine === undefined) expect(agree(sent), parameter.name).toBe(false);
        else agree(sent);
      }
  });

  test.each(pairs)("on each single value around every limit of %s", (_name, model, mode) => {
    const body: Body = { model: model.id, mode, prompt: "a boat" };
    for (const name of findMode(model, mode)?.requires ?? [])
      body[name] = name === "arbitrary_frames" ? [0, 9].map((frame_index) => ({ frame_index, image: upload })) : upload;
    let seen = 0;
    for (const { name, min, max, step = 1 } of parametersOf(model, mode)) {
      if (min === undefined || max === undefined) continue;
      for (const at of [min, max])
        for (const by of [0, 1, -1, step, -step, 0.5, -0.5, 1e-9, -1e-9, 1e-12]) {
          agree({ ...body, [name]: at + by });
          seen++;
        }
    }
    expect(seen).toBeGreaterThan(0);
  });

  test.each([0, 1, 2, 47, 48, 49, 79, 80, 81, 159, 160, 161])(
    "on keyframe %i with every number of frames",
    (frame_index) => {
      const answers: boolean[] = [];
      for (const num_frames of [undefined, 48, 49, 53, 77, 81, 85, 157, 161, 165])
        for (const other of [3, frame_index]) {
          const arbitrary_frames = [frame_index, other].map((index) => ({ frame_index: index, image: upload }));
          const head = { model: "anisora", mode: "arbitrary_frame", prompt: "a boat", arbitrary_frames };
          answers.push(agree(num_frames === undefined ? head : { ...head, num_frames }));
        }
      expect(answers).toContain(false);
    },
  );
});
