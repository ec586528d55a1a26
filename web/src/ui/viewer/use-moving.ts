import { type RefObject, useEffect } from "react";

/** Share of the easel's side that one press of an arrow key moves the picture. */
const stride = 0.1;
const arrows: Readonly<Record<string, readonly [across: number, down: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Moves a picture that is larger than its easel by mouse, pen and arrow keys; a finger scrolls without our help. */
export function useMoving(easel: RefObject<HTMLElement | null>, active: boolean): void {
  useEffect(() => {
    const element = easel.current;
    if (element === null || !active) return;
    const ending = new AbortController();
    const { signal } = ending;
    element.addEventListener("pointerdown", (event) => takeHold(element, event), { signal });
    element.addEventListener("pointermove", (event) => drag(element, event), { signal });
    element.addEventListener("lostpointercapture", () => letGo(element), { signal });
    element.addEventListener("keydown", (event) => move(element, event), { signal });
    return () => {
      ending.abort();
      letGo(element);
    };
  }, [easel, active]);
}

function takeHold(element: HTMLElement, event: PointerEvent): void {
  if (event.button !== 0 || event.pointerType === "touch" || event.target instanceof HTMLInputElement) return;
  element.setPointerCapture(event.pointerId);
  element.dataset.dragging = "";
}

function drag(element: HTMLElement, event: PointerEvent): void {
  if (element.hasPointerCapture(event.pointerId)) element.scrollBy(-event.movementX, -event.movementY);
}

function letGo(element: HTMLElement): void {
  delete element.dataset.dragging;
}

function move(element: HTMLElement, event: KeyboardEvent): void {
  const arrow = arrows[event.key];
  if (arrow === undefined || event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
  // Elsewhere on the page arrows turn to the next picture; one that is looked at closely is moved by them.
  event.preventDefault();
  event.stopPropagation();
  element.scrollBy(arrow[0] * element.clientWidth * stride, arrow[1] * element.clientHeight * stride);
}
