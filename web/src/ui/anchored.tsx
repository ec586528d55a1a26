import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef } from "react";

interface AnchoredProps {
  /** What it stands under, or above where there is more room. */
  anchor: RefObject<HTMLElement | null>;
  onClose: () => void;
  align?: "start" | "end";
  className?: string;
  role?: string;
  id?: string;
  label?: string;
  onKeyDown?: (event: KeyboardEvent<HTMLDivElement>) => void;
  children: ReactNode;
}

const gap = 4;
const margin = 8;

/**
 * A box in the top layer beside its anchor, open as long as it is mounted. Escape gives the focus back to the anchor; a press
 * elsewhere, scrolling and a new window size close it.
 */
export function Anchored({
  anchor,
  onClose,
  align = "start",
  className = "",
  role,
  id,
  label,
  ...rest
}: AnchoredProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    // The top layer lies above every dialog and is cut off by no scroll box.
    element?.showPopover?.();
    if (element && anchor.current) place(element, anchor.current.getBoundingClientRect(), align);
  }, [anchor, align]);
  useCloseFromOutside(box, anchor, onClose);
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- its role is given by what it holds
    <div
      ref={box}
      popover="manual"
      className={`popover ${className}`}
      role={role}
      id={id}
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.preventDefault();
          event.stopPropagation();
          onClose();
          anchor.current?.focus();
          return;
        }
        rest.onKeyDown?.(event);
      }}
    >
      {rest.children}
    </div>
  );
}

function useCloseFromOutside(
  box: RefObject<HTMLElement | null>,
  anchor: RefObject<HTMLElement | null>,
  onClose: () => void,
): void {
  useEffect(() => {
    const isInside = (target: EventTarget | null) =>
      target instanceof Node && (box.current?.contains(target) || anchor.current?.contains(target));
    const closeUnlessInside = (event: Event) => {
      if (!isInside(event.target)) onClose();
    };
    document.addEventListener("pointerdown", closeUnlessInside, true);
    document.addEventListener("scroll", closeUnlessInside, true);
    window.addEventListener("resize", onClose);
    return () => {
      document.removeEventListener("pointerdown", closeUnlessInside, true);
      document.removeEventListener("scroll", closeUnlessInside, true);
      window.removeEventListener("resize", onClose);
    };
  }, [box, anchor, onClose]);
}

function place(box: HTMLElement, anchor: DOMRect, align: "start" | "end"): void {
  const { width, height } = box.getBoundingClientRect();
  const wanted = align === "start" ? anchor.left : anchor.right - width;
  const left = Math.max(margin, Math.min(wanted, window.innerWidth - width - margin));
  const below = window.innerHeight - anchor.bottom;
  const top = below >= height + margin || below >= anchor.top ? anchor.bottom + gap : anchor.top - height - gap;
  box.style.inset = "auto";
  box.style.left = `${left}px`;
  box.style.top = `${Math.max(margin, top)}px`;
}
