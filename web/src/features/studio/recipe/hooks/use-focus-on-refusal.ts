import { type RefObject, useEffect } from "react";
import type { SubmitState } from "./use-submit.ts";

/** When a submission comes back refused, the first field at fault takes the focus, its section opened. */
export function useFocusOnRefusal(form: RefObject<HTMLFormElement | null>, { phase }: SubmitState): void {
  useEffect(() => {
    if (phase !== "refused") return;
    const field = form.current?.querySelector<HTMLElement>("[aria-invalid=true], [data-invalid]");
    const section = field?.closest("details");
    if (section) section.open = true;
    field?.focus();
  }, [form, phase]);
}
