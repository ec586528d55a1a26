import { type RefObject, useEffect } from "react";

/** Ctrl or ⌘ with Enter submits the form from anywhere on the page; Enter alone only finishes a field. */
export function useSubmitKeys(form: RefObject<HTMLFormElement | null>): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Enter") return;
      const { target } = event;
      const command = event.ctrlKey || event.metaKey;
      // A one-line field would submit its form on Enter: too easy a way to start a run by accident.
      const inOwnField = target instanceof HTMLInputElement && form.current?.contains(target) === true;
      if (command || inOwnField) event.preventDefault();
      if (command && document.querySelector("dialog[open]") === null) form.current?.requestSubmit();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [form]);
}
