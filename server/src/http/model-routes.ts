import { catalog, type ModelEntry } from "@safelight/catalog";
import { describeCatalogModel, type Model, type Notice, routes } from "@safelight/contract";
import type { Installation } from "./installation.ts";
import { type Registrar, register } from "./register.ts";

export function registerModelRoutes(registrar: Registrar): void {
  register(registrar, routes.listModels, async () => ({
    catalog_version: catalog.catalog_version,
    known_words: isMiniatureInUse(registrar.installation) ? [...registrar.installation.engine.knownWords()] : [],
    models: await Promise.all(catalog.models.map((model) => describeModel(registrar.installation, model))),
  }));
}

/** Whether any model would be run by the bundled engine at this moment. */
function isMiniatureInUse({ offers }: Installation): boolean {
  return catalog.models.some((model) =>
    model.modes.some(({ id }) => {
      const offer = offers.offer(model.id, id);
      return offer.able && offer.executor === "embedded";
    }),
  );
}

/** What the catalog says of a model, and whether a task for it would be accepted at this moment. */
async function describeModel(installation: Installation, model: ModelEntry): Promise<Model> {
  const offers = model.modes.map(({ id }) => ({ mode: id, offer: installation.offers.offer(model.id, id) }));
  const able = offers.flatMap(({ offer }) => (offer.able ? [offer] : []));
  const unable = offers.flatMap(({ mode, offer }) => (offer.able ? [] : [{ mode, reason: offer.reason }]));
  const executor = able[0]?.executor ?? null;
  const isMiniature = executor === "embedded";
  return {
    ...describeCatalogModel(model),
    available: able.length > 0,
    executor,
    engine: isMiniature ? installation.engine.name : null,
    engine_notice: isMiniature ? miniatureNotice : null,
    unavailable_reason: able.length > 0 ? null : (unable[0]?.reason ?? null),
    unavailable_modes: able.length > 0 ? unable.map(({ mode }) => mode) : [],
    limits: isMiniature ? await formatLimits(installation, model) : [],
  };
}

const miniatureNotice: Notice = {
  code: "miniature_engine",
  detail:
    "The bundled sketch engine runs this model: a miniature that knows a small vocabulary of things, colours and places. Connect a GPU workspace for the real model.",
};

async function formatLimits(installation: Installation, model: ModelEntry): Promise<Notice[]> {
  const formats = model.parameters.find(({ name }) => name === "output_format")?.options ?? [];
  const limits: Notice[] = [];
  for (const format of formats.map(String)) {
    if (await installation.engine.canEncode(format)) continue;
    limits.push({
      code: "format_unavailable",
      parameter: "output_format",
      options: [format],
      detail: `${format} needs ffmpeg on this machine.`,
    });
  }
  return limits;
}
