// The catalog as a server with everything at hand offers it: what forms are tested with.
import { catalog } from "@safelight/catalog";
import { describeCatalogModel, type Model } from "@safelight/contract";
import { type StudioModel, studioModel } from "../api/studio-model.ts";

const availability = {
  available: true,
  executor: "embedded",
  engine: "sketch",
  engine_notice: null,
  unavailable_reason: null,
  unavailable_modes: [],
  limits: [],
};

export const offeredModels: readonly Model[] = catalog.models.map((model) => ({
  ...describeCatalogModel(model),
  ...availability,
}));

export const studioModels: readonly StudioModel[] = offeredModels.map(studioModel);

/** Every model with every mode of it. */
export const pairs = studioModels.flatMap((model) =>
  model.modes.map((mode) => ({ model, mode: mode.id, name: `${model.id} ${mode.id}` })),
);
