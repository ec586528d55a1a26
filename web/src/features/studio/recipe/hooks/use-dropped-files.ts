import { useEffect, useEffectEvent, useState } from "react";

/** Files among dropped or pasted things, in their order. */
export function filesIn(transfer: DataTransfer | null): File[] {
  return Array.from(transfer?.files ?? []);
}

/** Pictures among them. */
export function picturesIn(transfer: DataTransfer | null): File[] {
  return filesIn(transfer).filter((file) => file.type.startsWith("image/"));
}

/**
 * Files pasted or dropped anywhere on the page. Answers whether some are being dragged over it now. A dropped file that
 * nobody takes is refused: the browser would leave the page for it.
 */
export function useDroppedFiles(onFiles: (files: File[]) => void): boolean {
  const [dragged, setDragged] = useState(false);
  const take = useEffectEvent((event: Event, transfer: DataTransfer | null) => {
    const files = filesIn(transfer);
    if (files.length === 0) return;
    event.preventDefault();
    onFiles(files);
  });
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    const carries = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    window.addEventListener("paste", (event) => take(event, event.clipboardData), { signal });
    window.addEventListener(
      "drop",
      (event) => {
        if (event.defaultPrevented) return;
        event.preventDefault();
        take(event, event.dataTransfer);
      },
      { signal },
    );
    // Where something else on the page takes the file, these two still hear of it.
    const end = () => setDragged(false);
    window.addEventListener("drop", end, { signal, capture: true });
    window.addEventListener("dragleave", (event) => event.relatedTarget === null && end(), { signal, capture: true });
    window.addEventListener(
      "dragover",
      (event) => {
        if (!carries(event)) return;
        event.preventDefault();
        setDragged(true);
      },
      { signal },
    );
    return () => ending.abort();
  }, []);
  return dragged;
}
