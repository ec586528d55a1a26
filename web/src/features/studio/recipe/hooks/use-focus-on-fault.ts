import { type RefObject, useEffect, useRef } from "react";

/** Takes the focus to the first field at fault, its section opened, each time `occasion` changes to another one. */
export function useFocusOnFault(form: RefObject<HTMLFormElement | null>, occasion: unknown): void {
  const last = useRef(occasion);
  useEffect(() => {
    if (last.current === occasion) return;
    last.current = occasion;
    if (occasion === null) return;
    const field = form.current?.querySelector<HTMLElement>("[aria-invalid=true], [data-invalid]");
    const section = field?.closest("details");
    if (section) section.open = true;
    // A group of choices takes no focus itself.
    const target = field?.matches("[role=radiogroup]")
      ? field.querySelector<HTMLElement>("input:checked, input")
      : field;
    target?.focus();
  }, [form, occasion]);
}
