// What comes into the form from outside, as its parts speak of it.
import type { StudioModel } from "../../../../api/models.ts";
import type { SavedRecipe } from "../model/saved-recipe.ts";

/** Something to be said about what arrived, with what can be done about it. */
export interface Notice {
  title: string;
  lines: readonly string[];
  actions: readonly { label: string; run: () => void }[];
}

export interface Arrivals {
  notice: Notice | null;
  dismiss: () => void;
  /** Name of the file that is being read or sent; null when none is. */
  busy: string | null;
  /** A file that was dropped or pasted beside every place for pictures. */
  takeFile: (file: File) => void;
  /** Fills the form from a saved recipe; `name` is the file it came in. */
  takeRecipe: (saved: SavedRecipe, name: string | null) => Promise<void>;
}

export interface Surroundings {
  models: readonly StudioModel[];
  model: StudioModel;
  mode: string;
  catalogVersion: string | undefined;
}

/** What taking something in has to tell meanwhile. */
export interface Reception extends Surroundings {
  setNotice: (notice: Notice | null) => void;
  /** Does what concerns a file, and tells what went wrong with it. */
  during: (name: string, work: () => Promise<void>) => Promise<void>;
}
