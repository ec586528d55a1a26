import type { LucideIcon } from "lucide-react";
import { type ReactNode, useCallback, useId, useRef, useState } from "react";
import { later } from "./later.tsx";

const MenuList = later(() => import("./menu-list.tsx").then((module) => module.MenuList));

export interface MenuItem {
  label: string;
  icon?: LucideIcon;
  /** What a press does; an item with an address goes there instead. */
  run?: () => void;
  href?: string;
  danger?: boolean;
  /** The key that does the same. */
  keys?: string;
  /** For a choice among several: whether it is the one in force. */
  checked?: boolean;
  /** Why it cannot be used now; it stays readable. */
  disabledReason?: string | null;
}

export interface MenuProps {
  /** Name of the button. */
  label: string;
  /** What the button shows. */
  children: ReactNode;
  /** Groups of items, parted by a line. */
  groups: readonly (readonly MenuItem[])[];
  className?: string;
  align?: "start" | "end";
}

/** A button that opens a list of actions. */
export function Menu({ label, children, groups, className = "icon-btn", align = "end" }: MenuProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = useCallback(() => setOpen(false), []);
  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {children}
      </button>
      {open ? <MenuList anchor={button} id={id} label={label} groups={groups} align={align} onClose={close} /> : null}
    </>
  );
}
