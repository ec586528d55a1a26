import { useQuery } from "@tanstack/react-query";
import { client } from "./client.ts";
import { withSession } from "./session.ts";
import { type StudioModel, studioModel } from "./studio-model.ts";

export * from "./studio-model.ts";

interface Offer {
  catalogVersion: string;
  knownWords: ReadonlySet<string>;
  models: readonly StudioModel[];
}

/** How long the answer to "who can run what" is trusted, in milliseconds. */
const freshFor = 30_000;

const offer = {
  queryKey: ["models"],
  queryFn: async (): Promise<Offer> => {
    const { catalog_version, known_words, models } = await withSession(() => client.listModels());
    return { catalogVersion: catalog_version, knownWords: new Set(known_words), models: models.map(studioModel) };
  },
  staleTime: freshFor,
  refetchInterval: freshFor,
};

/** The catalog and what can run here and now. */
export function useModels() {
  return useQuery({ ...offer, select: modelsOf });
}

/** The version of the catalog in force; undefined until it is known. */
export function useCatalogVersion(): string | undefined {
  return useQuery({ ...offer, select: versionOf }).data;
}

/** Every word that the bundled miniature knows, in lower case; none while it runs nothing, or before that is known. */
export function useKnownWords(): ReadonlySet<string> {
  return useQuery({ ...offer, select: wordsOf }).data ?? noWords;
}

const noWords: ReadonlySet<string> = new Set();

function wordsOf({ knownWords }: Offer): ReadonlySet<string> {
  return knownWords;
}

function modelsOf({ models }: Offer): readonly StudioModel[] {
  return models;
}

function versionOf({ catalogVersion }: Offer): string {
  return catalogVersion;
}
