// @vitest-environment jsdom
import { checkRequest } from "@safelight/catalog";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Parameter, StudioModel } from "../../../../api/studio-model.ts";
import { fieldFaultWords } from "../../../../api/words/field-errors.ts";
import { pairs } from "../../../../testing/offered-models.ts";
import { setLanguage } from "../../../../ui/language.ts";
import { belongsTo, faultsInSight, faultsOf, lengthOf } from "./faults.ts";
import { emptyRecipe, parametersInForce, type Recipe, requestBody, withValue } from "./recipe.ts";
import type { Keyframe, Picture, Value } from "./values.ts";

const picture: Picture = {
  id: `sha256-${"0".repeat(64)}`,
  name: "castle.png",
  width: 64,
  height: 64,
  bytes: 900,
  url: "/uploads/castle",
};

/** Values as a form can hold them: good ones, bad ones, and those just beside a limit. */
function valuesOf(parameter: Parameter): fc.Arbitrary<Value | undefined> {
  const { min, max, step = 1, options, type, max_length = 0 } = parameter;
  if (options !== undefined) return fc.constantFrom<Value[]>(...options, "something else");
  switch (type) {
    case "integer":
    case "number": {
      const [low, high] = [min ?? 0, max ?? 0];
      const near = [low, low - 1, low + step, low + step / 2, high, high + 1, high - step, Number.NaN];
      return fc.oneof(
        fc.constantFrom<Value[]>(...near, "12a"),
        fc.integer({ min: Math.floor(low) - 2, max: Math.ceil(high) + 2 }),
      );
    }
    case "string":
      return fc.constantFrom<Value[]>(
        "",
        " \n",
        "a boat",
        "🌊".repeat(max_length),
        "🌊".repeat(max_length + 1),
        "a\u0000b",
      );
    case "image":
      return fc.constantFrom<(Value | undefined)[]>(undefined, picture);
    case "keyframes":
      return fc.array(keyframe(parameter), { maxLength: (parameter.max_items ?? 0) + 1 });
  }
}

function keyframe(parameter: Parameter): fc.Arbitrary<Keyframe> {
  const numbers = (parameter.fields ?? []).filter((field) => field.type !== "image");
  const values = Object.fromEntries(
    numbers.map(({ name, min = 0, max = 0 }) => [name, fc.constantFrom(min, max, min + 1, max - 1, max + 1)]),
  );
  return fc.record(values).map((held) => ({ picture, values: held as Record<string, number> }));
}

function recipes(model: StudioModel, mode: string): fc.Arbitrary<Recipe> {
  const open = parametersInForce(model, mode).filter(({ locked }) => !locked);
  const chosen = fc.record(Object.fromEntries(open.map((parameter) => [parameter.name, valuesOf(parameter)])));
  const start: Recipe = { ...emptyRecipe, model: model.id, modes: { [model.id]: mode } };
  return chosen.map((values) =>
    open.reduce((recipe, parameter) => withValue(recipe, model, parameter, values[parameter.name]), start),
  );
}

describe("the form and the catalog judge alike (FR-003)", () => {
  test.each(pairs)("$name: the same fields are at fault", ({ model, mode }) => {
    fc.assert(
      fc.property(recipes(model, mode), (recipe) => {
        const verdict = checkRequest(requestBody(recipe, model));
        const refused = verdict.ok ? [] : verdict.errors.map(({ field }) => field);
        const own = faultsOf(recipe, model, mode).map(({ field }) => field);
        expect(new Set(own)).toEqual(new Set(refused));
      }),
      { seed: 20_260, numRuns: 60 },
    );
  });

  test.each(pairs)("$name: every fault has words in both languages", ({ model, mode }) => {
    fc.assert(
      fc.property(recipes(model, mode), (recipe) => {
        for (const fault of faultsOf(recipe, model, mode)) {
          setLanguage("en");
          const english = fieldFaultWords(model, fault);
          setLanguage("ru");
          const russian = fieldFaultWords(model, fault);
          setLanguage("en");
          expect(english).not.toMatch(/[а-яё]|undefined/i);
          expect(russian).toMatch(/[а-яё]/);
          expect(russian).not.toMatch(/undefined/);
        }
      }),
      { seed: 20_261, numRuns: 20 },
    );
  });
});

test("what is only missing yet is not held against anybody before a try", () => {
  for (const { model, mode } of pairs) {
    const empty = { ...emptyRecipe, model: model.id, modes: { [model.id]: mode } };
    expect(faultsOf(empty, model, mode).length).toBeGreaterThan(0);
    expect(faultsInSight(empty, model, mode)).toEqual([]);
  }
});

test("characters are code points", () => {
  expect(["", "ab", "🌊a", "e\u0301"].map(lengthOf)).toEqual([0, 2, 2, 2]);
});

test("a fault inside a list belongs to the list and to its entry, not to a field whose name only begins alike", () => {
  expect(belongsTo("frames[1].image", "frames")).toBe(true);
  expect(belongsTo("frames[1].image", "frames[1]")).toBe(true);
  expect(belongsTo("frames[11].image", "frames[1]")).toBe(false);
  expect(belongsTo("frames_more", "frames")).toBe(false);
});
