import { type RefObject, useEffect } from "react";
import { useShortcuts } from "../../../../ui/shortcuts.ts";
import { strings } from "../strings.ts";

/**
 * Ctrl or ⌘ with Enter submits the form from anywhere on the page, a slash leads to the prompt; Enter alone only finishes
 * a field.
 */
export function useSubmitKeys(form: RefObject<HTMLFormElement | null>): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Enter") return;
      const { target } = event;
      // A one-line field would submit its form on Enter: too easy a way to start a run by accident.
      const inOwnField = target instanceof HTMLInputElement && form.current?.contains(target) === true;
      if (inOwnField) event.preventDefault();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [form]);
  useShortcuts(strings.recipe, {
    "mod+Enter": { label: strings.generateKey, run: () => submitUnlessAsked(form.current) },
    "/": { label: strings.promptKey, run: () => form.current?.querySelector("textarea")?.focus() },
  });
}

/** A question that stands over the page is answered first. */
function submitUnlessAsked(form: HTMLFormElement | null): void {
  if (document.querySelector("dialog[open]") === null) form?.requestSubmit();
}
