import { catalog, checkRequest } from "@safelight/catalog";
import { describe, expect, test } from "vitest";
import { clipRequest, runRequest } from "./conformance.ts";
import { inCatalogNames, toEngineJob, warningsFor } from "./embedded-job.ts";
import { embeddedOffer } from "./embedded-offer.ts";
import { fixedExecutors } from "./executor-set.ts";
import { createOffers } from "./offers.ts";
import { ScriptedExecutor } from "./scripted.ts";

describe("a request in the engine's terms", () => {
  test("cfg_scale and guidance_scale are guidance; steps, seed and size are given on as they are", () => {
    const withCfg = runRequest({ model: "pony", parameters: { cfg_scale: 6.5, guidance_scale: undefined, steps: 31 } });
    expect(toEngineJob(withCfg, "/tmp/out.png")).toMatchObject({
      guidance: 6.5,
      steps: 31,
      seed: 5,
      width: 512,
      frames: 1,
      strength: 1,
    });
    expect(toEngineJob(runRequest(), "/tmp/out.png").guidance).toBe(3.5);
  });

  test("keyframes, first and last picture keep their place and strength", () => {
    const reference = (parameter: string, frameIndex: number | null, strength: number) => ({
      parameter,
      position: 0,
      frameIndex,
      strength,
      path: `/tmp/${parameter}.png`,
    });
    const references = [
      reference("reference_image", null, 0.85),
      reference("first_frame_image", 0, 0.9),
      reference("last_frame_image", 48, 0.8),
      reference("arbitrary_frames", 17, 0.7),
    ];
    expect(toEngineJob(clipRequest({ references }), "/tmp/out.mp4").references).toEqual([
      { role: "first", frameIndex: 0, strength: 0.85, path: "/tmp/reference_image.png" },
      { role: "first", frameIndex: 0, strength: 0.9, path: "/tmp/first_frame_image.png" },
      { role: "last", frameIndex: 48, strength: 0.8, path: "/tmp/last_frame_image.png" },
      { role: "keyframe", frameIndex: 17, strength: 0.7, path: "/tmp/arbitrary_frames.png" },
    ]);
    const [redrawn] = toEngineJob(runRequest({ references: references.slice(0, 1) }), "/tmp/out.png").references;
    expect(redrawn?.role).toBe("init");
  });

  test("a choice without effect is named, a default is not", () => {
    const warned = (parameters: Record<string, unknown>) => warningsFor(runRequest({ model: "pony", parameters }));
    expect(warned({ sampler: "Euler a", clip_skip: 2 })).toEqual([]);
    expect(warned({ sampler: "Euler a", clip_skip: 1 })).toMatchObject([{ code: "no_effect", parameter: "clip_skip" }]);
  });

  test("the engine's warnings carry the names of the catalog", () => {
    const warnings = ["guidance", "strength", "prompt"].map(
      (parameter) => ({ code: "no_effect", parameter, detail: "Nothing changed." }) as const,
    );
    const namesFor = (parameters: Record<string, unknown>) =>
      inCatalogNames(runRequest({ parameters }), warnings).map(({ parameter }) => parameter);
    expect(namesFor({ guidance_scale: 3 })).toEqual(["guidance_scale", "denoising_strength", "prompt"]);
    const cfg = { guidance_scale: undefined, cfg_scale: 6 };
    expect(namesFor(cfg)).toEqual(["cfg_scale", "denoising_strength", "prompt"]);
  });

  test("every parameter of the catalog either reaches the engine or is named as without effect", () => {
    // Prompts travel beside the parameters, pictures as references, the seed in its own field.
    const inFields = [
      "prompt",
      "negative_prompt",
      "seed",
      "width",
      "height",
      "num_frames",
      "fps",
      "steps",
      "output_format",
    ];
    const asStrength = ["denoising_strength", "reference_strength", "first_strength", "last_strength"];
    const asPictures = ["reference_image", "first_frame_image", "last_frame_image", "arbitrary_frames"];
    const reaching = new Set([...inFields, ...asStrength, ...asPictures, "guidance_scale", "cfg_scale"]);
    for (const model of catalog.models) {
      const named = new Set(
        warningsFor(runRequest({ parameters: Object.fromEntries(model.parameters.map(({ name }) => [name, 1])) })).map(
          ({ parameter }) => parameter,
        ),
      );
      for (const { name } of model.parameters)
        expect(reaching.has(name) || named.has(name), `${model.id} ${name}`).toBe(true);
    }
  });

  test("output formats of the catalog are the engine's", () => {
    const checked = checkRequest({ model: "flux", prompt: "a boat", output_format: "jpeg" });
    if (!checked.ok) throw new Error(checked.detail);
    const job = toEngineJob(runRequest({ parameters: { ...checked.parameters } }), "/tmp/out.jpeg");
    expect(job.output).toEqual({ path: "/tmp/out.jpeg", format: "jpeg" });
  });
});

describe("when the embedded engine steps in", () => {
  test.each([
    ["off", "none", false],
    ["off", "ready", false],
    ["auto", "none", true],
    ["auto", "registered", false],
    ["auto", "ready", false],
    ["always", "none", true],
    ["always", "registered", true],
    ["always", "ready", false],
  ] as const)("%s, accounts that offer the model: %s → %s", (setting, standing, able) => {
    expect(embeddedOffer(setting, "flux", standing).able).toBe(able);
  });

  test("the installation can run what any executor can, and otherwise says why not", () => {
    const unable = new ScriptedExecutor({ name: "first", offer: () => embeddedOffer("off", "flux", "none") });
    const able = new ScriptedExecutor({ name: "second" });
    expect(createOffers(fixedExecutors([unable, able])).offer("flux", "txt2img")).toEqual({
      able: true,
      executor: "second",
    });
    expect(createOffers(fixedExecutors([unable])).offer("flux", "txt2img")).toMatchObject({
      able: false,
      reason: { code: "embedded_engine_off" },
    });
    expect(createOffers(fixedExecutors([])).offer("flux", "txt2img")).toMatchObject({
      able: false,
      reason: { code: "no_workers" },
    });
  });
});
