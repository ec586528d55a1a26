import { useCallback } from "react";
import { useNavigate } from "../../../ui/router.tsx";

/** What of a task goes into the form. */
export type TakenAs = "settings" | "reference" | "animate" | "first" | "last";

/** Hands a task over to the recipe by the address, as every other page does. */
export function useTakeOver(): (taskId: string, as: TakenAs) => void {
  const navigate = useNavigate();
  return useCallback(
    (taskId, as) => void navigate({ to: "/", search: (old) => ({ ...old, use: taskId, as }), replace: true }),
    [navigate],
  );
}
