import { useEffect, useEffectEvent, useRef } from "react";
import { describeProblem } from "../../../../api/problems.ts";
import { useNavigate, useSearch } from "../../../../ui/router.tsx";
import { showToast } from "../../../../ui/toasts.tsx";
import { UnreadableClip } from "../reading/unreadable-clip.ts";
import { strings } from "../strings.ts";
import type { Arrivals, Surroundings } from "./arrivals.ts";

/** Takes over the task that the address names in `use`, as what `as` says, and takes both out of the address again. */
export function useHandOver(surroundings: Surroundings, takeRecipe: Arrivals["takeRecipe"]): void {
  const use = useSearch({ strict: false, select: (search) => search.use ?? null });
  const as = useSearch({ strict: false, select: (search) => search.as ?? null });
  const navigate = useNavigate();
  const takeOver = useEffectEvent(async (id: string, what: string | null) => {
    await navigate({ to: "/", search: ({ use: _use, as: _as, ...rest }) => rest, replace: true, resetScroll: false });
    try {
      const { takeTask } = await import("./taking-in.ts");
      await takeTask(surroundings, id, what, takeRecipe);
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
