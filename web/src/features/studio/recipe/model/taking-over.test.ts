import { checkRequest } from "@safelight/catalog";
import { describe, expect, test } from "vitest";
import type { StudioModel } from "../../../../api/studio-model.ts";
import { pairs, studioModels } from "../../../../testing/offered-models.ts";
import { placed } from "./places.ts";
import { emptyRecipe, isPictorial, parametersInForce, type Recipe, requestBody, valueOf, withValue } from "./recipe.ts";
import { applySaved, pictureIdsIn, savedRecipe } from "./saved-recipe.ts";
import { frameLike, startsOf, targetFor, withPictureAt } from "./targets.ts";
import type { Picture } from "./values.ts";

const [fallback] = studioModels;
if (fallback === undefined) throw new Error("no models");
const anyModel: StudioModel = fallback;

function picture(index: number): Picture {
  const id = `sha256-${String(index).padStart(64, "0")}`;
  return { id, name: "castle.png", width: 640, height: 480, bytes: 900, url: `/uploads/${id}` };
}

const pictures = new Map([0, 1, 2].map((index) => [picture(index).id, picture(index)]));

/** A recipe with every picture of the mode, a seed, and each slider moved to its other end. */
function moved(model: StudioModel, mode: string): Recipe {
  let recipe: Recipe = { ...emptyRecipe, model: model.id, modes: { [model.id]: mode } };
  for (const entry of parametersInForce(model, mode).filter(({ locked }) => !locked)) {
    if (isPictorial(entry)) {
      for (let index = 0; index < (entry.min_items ?? 1); index += 1)
        recipe = withValue(recipe, model, entry, placed(picture(index), entry, valueOf(recipe, model, entry), {}));
    } else if (entry.type === "string" && entry.options === undefined)
      recipe = withValue(recipe, model, entry, "a boat");
    else recipe = withValue(recipe, model, entry, entry.options?.at(-1) ?? entry.max);
  }
  return recipe;
}

describe("a saved recipe fills the form", () => {
  test.each(pairs)("$name: what the task stored gives the same request again", ({ model, mode }) => {
    const body = requestBody(moved(model, mode), model);
    const checked = checkRequest(body);
    if (!checked.ok) throw new Error(checked.detail);
    const saved = savedRecipe({
      ...checked,
      parameters: { ...checked.parameters },
      seed: body.seed,
      catalog_version: "1",
    });
    if (saved === null) throw new Error("no recipe");
    const sentIds = new Set(JSON.stringify(body).match(/sha256-\d+/g));
    expect(new Set(pictureIdsIn(saved, studioModels))).toEqual(sentIds);
    const { recipe, unusable } = applySaved(emptyRecipe, studioModels, anyModel, saved, pictures);
    expect(unusable).toEqual([]);
    expect(requestBody(recipe, model)).toEqual(body);
  });

  test("under another name of its model it is found all the same", () => {
    for (const model of studioModels) {
      for (const alias of model.aliases) {
        const saved = savedRecipe({ model: alias, mode: model.default_mode, prompt: "a boat", parameters: {} });
        if (saved === null) throw new Error("no recipe");
        expect(applySaved(emptyRecipe, studioModels, anyModel, saved, new Map()).recipe.model).toBe(model.id);
      }
    }
  });

  test("what means nothing here is named, and the rest is taken", () => {
    const model = anyModel;
    const saved = savedRecipe({
      model: model.id,
      mode: model.default_mode,
      prompt: "a boat",
      seed: 5,
      parameters: { width: 1e6, brightness: 3, [lockedOf(model).name]: 999 },
    });
    if (saved === null) throw new Error("no recipe");
    const { recipe, unusable } = applySaved(emptyRecipe, studioModels, model, saved, new Map());
    expect(unusable).toContainEqual({ kind: "parameter", name: "brightness" });
    expect(unusable).toContainEqual(expect.objectContaining({ kind: "value", value: "1000000" }));
    expect(unusable).toContainEqual(expect.objectContaining({ kind: "value", value: "999" }));
    expect(checkRequest(requestBody(recipe, model))).toMatchObject({ ok: true, prompt: "a boat" });
    expect(requestBody(recipe, model)).toMatchObject({ seed: 5 });
  });

  test("of a model nobody knows, the words and the seed are taken", () => {
    const saved = savedRecipe({
      model: "long-gone",
      mode: "draw",
      prompt: "a boat",
      seed: 5,
      parameters: { width: 512 },
    });
    if (saved === null) throw new Error("no recipe");
    const { recipe, unusable } = applySaved(emptyRecipe, studioModels, anyModel, saved, new Map());
    expect(unusable).toEqual([{ kind: "model", name: "long-gone" }]);
    expect(requestBody(recipe, anyModel)).toMatchObject({ prompt: "a boat", seed: 5 });
  });

  test("pictures that are gone are named, and the others stand in their places", () => {
    const pair = pairs.find(({ model, mode }) => imagesOf(model, mode).length === 2);
    if (pair === undefined) throw new Error("no mode with two pictures");
    const { model, mode } = pair;
    const body = requestBody(moved(model, mode), model);
    const [first, second] = imagesOf(model, mode);
    const names = { [first?.name ?? ""]: picture(0).id, [second?.name ?? ""]: "sha256-gone" };
    const saved = savedRecipe({ model: model.id, mode, prompt: "a boat", parameters: { ...body, ...names } });
    if (saved === null) throw new Error("no recipe");
    const { recipe, unusable } = applySaved(emptyRecipe, studioModels, model, saved, pictures);
    expect(unusable).toContainEqual({ kind: "picture", label: second?.label.en });
    expect(requestBody(recipe, model)).toHaveProperty(first?.name ?? "", picture(0).id);
  });

  test("something else than a recipe is none", () => {
    for (const raw of [{}, { model: 1 }, { model: "a", mode: "b" }, { prompt: "only words" }])
      expect(savedRecipe(raw)).toBeNull();
  });
});

describe("a picture from elsewhere finds its place in the catalog", () => {
  const [image] = studioModels.filter(({ type }) => type === "image");
  if (image === undefined) throw new Error("no model for pictures");
  const current = { model: image, mode: image.default_mode };

  test("as a reference in the chosen model; to be animated in one for video", () => {
    const reference = targetFor("reference", studioModels, current);
    expect(reference?.model.id).toBe(image.id);
    expect(imagesOf(image, reference?.mode ?? "")).toHaveLength(1);
    const animation = targetFor("animate", studioModels, current);
    expect(animation?.model.type).toBe("video");
    expect(imagesOf(animation?.model ?? image, animation?.mode ?? "")).toHaveLength(1);
  });

  test("as the first or the last of two", () => {
    const [first, last] = [targetFor("first", studioModels, current), targetFor("last", studioModels, current)];
    expect(first?.mode).toBe(last?.mode);
    const places = imagesOf(first?.model ?? image, first?.mode ?? "");
    expect([first?.place.name, last?.place.name]).toEqual(places.map(({ name }) => name));
  });

  test("never where it could not run", () => {
    const off = studioModels.map((model) => ({ ...model, available: model.type !== "video" }));
    expect(targetFor("animate", off, current)).toBeNull();
    const without = studioModels.map((model) => ({
      ...model,
      unavailable_modes: model.modes.map(({ id }) => id).filter((id) => imagesOf(model, id).length === 1),
    }));
    expect(targetFor("reference", without, current)).toBeNull();
    expect(startsOf(without[0] ?? image).map(({ mode }) => imagesOf(without[0] ?? image, mode).length)).not.toContain(
      1,
    );
  });

  test("the frame follows the picture, within what the model takes", () => {
    for (const use of ["reference", "animate", "first"] as const) {
      const target = targetFor(use, studioModels, current);
      if (target === null) throw new Error("no target");
      const recipe = withPictureAt(withPrompt(emptyRecipe, target.model), target, {
        ...picture(0),
        width: 3000,
        height: 2000,
      });
      const body = requestBody(recipe, target.model);
      expect(Number(body.width)).toBeGreaterThan(Number(body.height));
      expect(body[target.place.name]).toBe(picture(0).id);
    }
    expect(frameLike(image, { width: 768, height: 640 })).toEqual({ width: 768, height: 640 });
    expect(frameLike(image, { width: 0, height: 0 })).toEqual({});
  });
});

function withPrompt(recipe: Recipe, model: StudioModel): Recipe {
  const prompt = model.parameters.find(({ name }) => name === "prompt");
  return prompt ? withValue(recipe, model, prompt, "a boat") : recipe;
}

function imagesOf(model: StudioModel, mode: string) {
  return parametersInForce(model, mode).filter(({ type }) => type === "image");
}

function lockedOf(model: StudioModel) {
  const locked = model.parameters.find((entry) => entry.locked);
  if (locked === undefined) throw new Error(`${model.id} has nothing locked`);
  return locked;
}
