import { useEffect, useEffectEvent, useRef } from "react";
import { client } from "../../../../api/client.ts";
import type { StudioModel } from "../../../../api/models.ts";
import { describeProblem } from "../../../../api/problems.ts";
import { withSession } from "../../../../api/session.ts";
import { pictureOfTask, resultAddress, type StoredPicture, storePicture } from "../../../../api/uploads.ts";
import { useNavigate, useSearch } from "../../../../ui/router.tsx";
import { showToast } from "../../../../ui/toasts.tsx";
import { defaultOf, type Recipe, valueOf, withValue } from "../model/recipe.ts";
import { currentRecipe } from "../model/recipe-store.ts";
import { savedRecipe } from "../model/saved-recipe.ts";
import { type PictureUse, type Target, targetFor, withPictureAt } from "../model/targets.ts";
import { UnreadableClip } from "../reading/unreadable-clip.ts";
import { strings } from "../strings.ts";
import { type Arrivals, fill } from "./use-arrivals.ts";

const pictureUses: readonly string[] = ["reference", "animate", "first", "last"] satisfies PictureUse[];

interface Surroundings {
  models: readonly StudioModel[];
  model: StudioModel;
  mode: string;
}

/** Takes over the task that the address names in `use`, as what `as` says, and takes both out of the address again. */
export function useHandOver({ models, model, mode }: Surroundings, takeRecipe: Arrivals["takeRecipe"]): void {
  const use = useSearch({ strict: false, select: (search) => search.use ?? null });
  const as = useSearch({ strict: false, select: (search) => search.as ?? null });
  const navigate = useNavigate();
  const takeOver = useEffectEvent(async (id: string, what: string | null) => {
    await navigate({ to: "/", search: ({ use: _use, as: _as, ...rest }) => rest, replace: true, resetScroll: false });
    try {
      if (what !== null && pictureUses.includes(what)) {
        await takePicture(id, what as PictureUse, { models, model, mode });
      } else {
        const saved = savedRecipe(await withSession(() => client.getTask({ path: { id } })));
        if (saved) await takeRecipe(saved, null);
      }
    } catch (error) {
      const { detail, action } =
        error instanceof UnreadableClip ? { detail: strings.cannot.gone, action: "" } : describeProblem(error);
      showToast({ tone: "error", text: strings.cannot.title, detail: [detail, action].filter(Boolean).join(" ") });
    }
  });
  // The address keeps its words until they are taken out of it: each of them counts once.
  const begun = useRef<string | null>(null);
  useEffect(() => {
    const wanted = use === null ? null : `${use} ${as ?? ""}`;
    if (begun.current === wanted) return;
    begun.current = wanted;
    if (use !== null) void takeOver(use, as);
  }, [use, as]);
}

async function takePicture(id: string, use: PictureUse, { models, model, mode }: Surroundings): Promise<void> {
  const target = targetFor(use, models, { model, mode });
  if (target === null) {
    const detail = use === "first" || use === "last" ? strings.cannot.noPairMode : strings.cannot.noMode;
    showToast({ tone: "error", text: strings.cannot.title, detail });
    return;
  }
  const item = await withSession(() => client.getTask({ path: { id } }));
  const picture = item.type === "video" ? await frameOf(id, use) : await pictureOfTask(id, strings.pictureOfTask);
  const recipe = withPictureAt(currentRecipe(), target, picture);
  fill(withPrompt(recipe, target, item.prompt), strings.asReference);
}

/** Of a clip the frame that fits: what is to follow on it begins with its end, all else works from its beginning. */
async function frameOf(id: string, use: PictureUse): Promise<StoredPicture> {
  const { frameOfClip } = await import("../reading/clip-frame.ts");
  const frame = await frameOfClip(resultAddress(id), use === "first" ? "end" : "start");
  return storePicture(frame, strings.pictureOfTask);
}

/** The words the picture was made from are a good beginning where nothing is written yet. */
function withPrompt(recipe: Recipe, { model, mode }: Target, prompt: string): Recipe {
  const field = model.parameters.find(({ group, required_in }) => group === "prompt" && required_in.includes(mode));
  if (field === undefined) return recipe;
  const written = valueOf(recipe, model, field) ?? defaultOf(field) ?? "";
  return written === "" ? withValue(recipe, model, field, prompt) : recipe;
}
