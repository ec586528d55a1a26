import { useCallback, useState } from "react";

const parameter = "task";

/** The task on the stage. It stands in the address, so that a reload or a copied link shows the same one. */
export function useChosenTask(): { chosen: string | null; choose: (id: string | null) => void } {
  const [chosen, setChosen] = useState(() => new URLSearchParams(window.location.search).get(parameter));
  const choose = useCallback((id: string | null) => {
    const address = new URL(window.location.href);
    if (id === null) address.searchParams.delete(parameter);
    else address.searchParams.set(parameter, id);
    window.history.replaceState(null, "", address);
    setChosen(id);
  }, []);
  return { chosen, choose };
}
