/** The golden answer of GET /models: the real catalog on an installation that has the bundled engine and no encoder for WebM. */
import { catalog } from "@safelight/catalog";
import { describeCatalogModel } from "./catalog-model.ts";
import type { Models } from "./schemas/models.ts";

const miniature = {
  code: "miniature",
  detail: "Made by Sketch, a miniature with a small vocabulary. It ignores words it does not know.",
};

const noWebm = {
  code: "option_unavailable",
  parameter: "output_format",
  options: ["webm"],
  detail: "WebM needs ffmpeg, which is not installed here.",
};

/** Builds the message; `pony` stands for a model that nothing can run. */
export function buildModelsExample(): Models {
  return {
    catalog_version: catalog.catalog_version,
    known_words: ["a", "at", "boat", "by", "lighthouse", "night", "red", "sea", "the"],
    models: catalog.models.map((model) => ({
      ...describeCatalogModel(model),
      ...(model.id === "pony" ? unavailable : available),
      limits: model.type === "video" ? [noWebm] : [],
    })),
  };
}

const available = {
  available: true,
  executor: "embedded",
  engine: "sketch",
  engine_notice: miniature,
  unavailable_reason: null,
  unavailable_modes: [],
};

const unavailable = {
  available: false,
  executor: null,
  engine: null,
  engine_notice: null,
  unavailable_reason: { code: "no_workers", detail: "No workspace offers this model. Ask the operator to add one." },
  unavailable_modes: ["txt2img", "img2img"],
};
