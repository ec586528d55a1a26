import { type RefObject, useLayoutEffect } from "react";

/**
 * Closes a native dialog that goes away with its part while it still stands on the page: only then does the browser give
 * the focus back to where it was.
 */
export function useReturnOfFocus(dialog: RefObject<HTMLDialogElement | null>): void {
  useLayoutEffect(() => {
    const element = dialog.current;
    return () => element?.close();
  }, [dialog]);
}
