import { describe, expect, it } from "vitest";
import { choosePair, type PairWishes } from "./pairs.ts";

function chosen(wishes: Partial<PairWishes>): string {
  const { model, mode } = choosePair({ parameters: [], ...wishes });
  return `${model.id} ${mode.id}`;
}

describe("choosePair", () => {
  it.each([
    ["nothing said: a picture", {}, "pony txt2img"],
    ["a video file", { type: "video" as const }, "anisora t2v"],
    ["a model: its default mode", { model: "flux" }, "flux txt2img"],
    ["an alias", { model: "wan-remix" }, "phr00t t2v"],
    ["a mode: the first model that has it", { mode: "i2v" }, "anisora i2v"],
    ["both", { model: "phr00t", mode: "first_last_frame" }, "phr00t first_last_frame"],
    ["a picture to start from", { parameters: ["reference_image"] }, "pony img2img"],
    ["a picture and a video file", { type: "video" as const, parameters: ["reference_image"] }, "anisora i2v"],
    ["frames", { parameters: ["num_frames"] }, "anisora t2v"],
    ["key frames", { parameters: ["arbitrary_frames"] }, "anisora arbitrary_frame"],
    ["first and last frame", { parameters: ["first_frame_image", "last_frame_image"] }, "anisora first_last_frame"],
    ["a parameter of one model", { parameters: ["guidance_scale"] }, "flux txt2img"],
    ["a lighting variant", { parameters: ["lighting_variant"] }, "phr00t t2v"],
    [
      "parameters that nothing takes together: the first, so that it can be said",
      { parameters: ["fps", "sampler"] },
      "pony txt2img",
    ],
  ])("%s", (_, wishes, expected) => expect(chosen(wishes)).toBe(expected));

  it("refuses a model or mode that does not exist, and names those that do", () => {
    expect(() => chosen({ model: "nothing" })).toThrow(
      'There is no model "nothing". Choose one of anisora, phr00t, pony, flux.',
    );
    expect(() => chosen({ model: "pony", mode: "t2v" })).toThrow(
      'pony has no mode "t2v". Choose one of txt2img, img2img.',
    );
    expect(() => chosen({ mode: "audio" })).toThrow(/No model has the mode "audio"\. Choose one of t2v,/);
  });
});
