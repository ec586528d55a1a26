import { useCallback } from "react";
import { useNavigate, useSearch } from "../../ui/router.tsx";

/** The task on the stage. It stands in the address, so that a reload, a copied link or a notice shows the same one. */
export function useChosenTask(): { chosen: string | null; choose: (id: string | null) => void } {
  const chosen = useSearch({ strict: false, select: (search) => search.task ?? null });
  const navigate = useNavigate();
  const choose = useCallback(
    (id: string | null) => {
      void navigate({
        to: "/",
        search: ({ task: _before, ...rest }) => (id === null ? rest : { ...rest, task: id }),
        replace: true,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return { chosen, choose };
}
