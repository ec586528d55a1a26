import { checkRequest } from "@safelight/catalog";
import { describe, expect, test } from "vitest";
import type { StudioModel } from "../../../../api/studio-model.ts";
import { pairs, studioModels } from "../../../../testing/offered-models.ts";
import { placed } from "./places.ts";
import { aspectOf, durationOf, qualityChanges, qualityOf, sizeFor } from "./presets.ts";
import {
  chosenMode,
  chosenModel,
  emptyRecipe,
  isPictorial,
  isRelevant,
  parametersInForce,
  type Recipe,
  requestBody,
  valueOf,
  withValue,
} from "./recipe.ts";
import type { Picture } from "./values.ts";

const models = studioModels;

function parameter(model: StudioModel, name: string) {
  const found = model.parameters.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`${model.id} has no parameter ${name}`);
  return found;
}

function picture(index: number): Picture {
  const id = `sha256-${String(index).padStart(64, "0")}`;
  return { id, name: "castle.png", width: 64, height: 64, bytes: 900, url: `/uploads/${id}` };
}

/** A recipe as a person fills it: a prompt and every picture that the mode asks for. */
function filledRecipe(model: StudioModel, mode: string): Recipe {
  let recipe: Recipe = { ...emptyRecipe, model: model.id, modes: { [model.id]: mode } };
  recipe = withValue(recipe, model, parameter(model, "prompt"), "a red lighthouse by the sea");
  for (const place of parametersInForce(model, mode).filter(isPictorial)) {
    for (let index = 0; index < (place.min_items ?? 1); index += 1) {
      const value = valueOf(recipe, model, place);
      recipe = withValue(recipe, model, place, placed(picture(index), place, value, numbersOf(recipe, model, mode)));
    }
  }
  return recipe;
}

function numbersOf(recipe: Recipe, model: StudioModel, mode: string): Record<string, number> {
  const held = parametersInForce(model, mode).map((entry) => [entry.name, valueOf(recipe, model, entry)] as const);
  return Object.fromEntries(held.filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}

describe("the form's request is the one the catalog accepts (FR-003)", () => {
  test.each(pairs)("$name: filled in as asked", ({ model, mode }) => {
    expect(checkRequest(requestBody(filledRecipe(model, mode), model))).toMatchObject({
      ok: true,
      model: model.id,
      mode,
    });
  });

  test.each(pairs)(
    "$name: nothing filled in is refused at the fields the form marks as required",
    ({ model, mode }) => {
      const verdict = checkRequest(requestBody({ ...emptyRecipe, modes: { [model.id]: mode } }, model));
      const required = parametersInForce(model, mode).filter((entry) => entry.required_in.includes(mode));
      expect(verdict).toMatchObject({ ok: false, code: "validation_failed" });
      if (!verdict.ok)
        expect(verdict.errors.map((error) => error.field).sort()).toEqual(required.map((entry) => entry.name).sort());
    },
  );

  test.each(pairs)("$name: both ends of every slider and every option", ({ model, mode }) => {
    const recipe = filledRecipe(model, mode);
    for (const entry of parametersInForce(model, mode).filter(
      (candidate) => !candidate.locked && !isPictorial(candidate),
    )) {
      const ends = entry.options ?? [entry.min, entry.max].filter((end) => end !== undefined);
      for (const value of ends) {
        // A shorter clip moves the last keyframe out of range: the server's own rule, shown at its field.
        if (entry.unit === "frames" && model.parameters.some((other) => other.type === "keyframes")) continue;
        const verdict = checkRequest(requestBody(withValue(recipe, model, entry, value), model));
        expect(verdict, `${entry.name} = ${value}`).toMatchObject({ ok: true });
      }
    }
  });
});

describe("presets", () => {
  test.each(models)("$id: every aspect, duration and quality is recognised once chosen, and accepted", (model) => {
    const mode = model.default_mode;
    const start = filledRecipe(model, mode);
    const apply = (recipe: Recipe, values: Readonly<Record<string, number>>) =>
      Object.entries(values).reduce(
        (kept, [name, value]) => withValue(kept, model, parameter(model, name), value),
        recipe,
      );
    const read = (recipe: Recipe) => {
      const numbers = numbersOf(recipe, model, mode);
      return { numbers, size: { width: numbers["width"] ?? 0, height: numbers["height"] ?? 0 } };
    };
    const usual = read(start).size;
    for (const aspect of model.presets.aspect) {
      const framed = apply(start, { ...sizeFor(aspect, undefined) });
      expect(aspectOf(model, read(framed).size)?.id).toBe(aspect.id);
      for (const quality of model.presets.quality) {
        const changed = apply(framed, qualityChanges(model, quality, read(framed).size, usual));
        expect(aspectOf(model, read(changed).size)?.id).toBe(aspect.id);
        expect(qualityOf(model, read(changed).numbers, read(changed).size)?.id).toBe(quality.id);
        expect(checkRequest(requestBody(changed, model))).toMatchObject({ ok: true });
      }
    }
    for (const duration of model.presets.duration) {
      const timed = apply(start, duration.values);
      expect(durationOf(model, read(timed).numbers)?.id).toBe(duration.id);
      expect(checkRequest(requestBody(timed, model))).toMatchObject({ ok: true });
    }
  });

  test("leaving a quick test goes back to the usual size of its proportions", () => {
    for (const model of models.filter((candidate) => candidate.presets.quality.length > 0)) {
      const quick = model.presets.quality.find((quality) => quality.smallest_size);
      const other = model.presets.quality.find((quality) => !quality.smallest_size);
      if (quick === undefined || other === undefined) throw new Error("no quick test beside another quality");
      const usual = {
        width: Number(parameter(model, "width").default),
        height: Number(parameter(model, "height").default),
      };
      const small = qualityChanges(model, quick, usual, usual);
      expect(small["width"]).toBeLessThan(usual.width);
      const size = { width: small["width"] ?? 0, height: small["height"] ?? 0 };
      expect(qualityChanges(model, other, size, usual)).toMatchObject(usual);
    }
  });
});

test("a value set back to its default is not held, so that the catalog's default stays in force", () => {
  for (const { model, mode } of pairs) {
    for (const entry of parametersInForce(model, mode).filter((candidate) => typeof candidate.default === "number")) {
      const moved = withValue(emptyRecipe, model, entry, Number(entry.default) + 1);
      expect(withValue(moved, model, entry, entry.default as number).own[model.id] ?? {}).not.toHaveProperty(
        entry.name,
      );
    }
  }
});

test("a slider that depends on a picture waits for it", () => {
  for (const { model, mode } of pairs) {
    for (const entry of parametersInForce(model, mode).filter((candidate) => candidate.depends_on !== undefined)) {
      expect(isRelevant(emptyRecipe, model, mode, entry)).toBe(false);
      expect(isRelevant(filledRecipe(model, mode), model, mode, entry)).toBe(true);
    }
  }
});

test("prompts and pictures go along to another model; its sliders stay behind", () => {
  const [first, second] = models;
  if (first === undefined || second === undefined) throw new Error("fewer than two models");
  let recipe = withValue(emptyRecipe, first, parameter(first, "prompt"), "a cat");
  recipe = withValue(recipe, first, parameter(first, "width"), 512);
  expect(valueOf(recipe, second, parameter(second, "prompt"))).toBe("a cat");
  expect(valueOf(recipe, second, parameter(second, "width"))).toBe(parameter(second, "width").default);
});

test("without a choice the first model that can run is taken, in its default mode", () => {
  const [first, second] = models;
  if (first === undefined || second === undefined) throw new Error("fewer than two models");
  expect(chosenModel([{ ...first, available: false }, second], emptyRecipe)?.id).toBe(second.id);
  expect(chosenModel([{ ...first, available: false }], emptyRecipe)?.id).toBe(first.id);
  expect(chosenMode(second, { ...emptyRecipe, modes: { [second.id]: "no-such-mode" } })).toBe(second.default_mode);
});
