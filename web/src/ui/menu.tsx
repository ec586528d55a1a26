import { type ReactNode, useCallback, useId, useRef, useState } from "react";
import { later } from "./later.tsx";
import type { MenuGroups } from "./menu-items.ts";

const MenuList = later(() => import("./menu-list.tsx").then((module) => module.MenuList));

export type { MenuItem } from "./menu-items.ts";

interface MenuProps {
  /** Name of the button. */
  label: string;
  /** What the button shows. */
  children: ReactNode;
  groups: MenuGroups;
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
