import type { LucideIcon } from "lucide-react";
import { Check } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useId, useRef, useState } from "react";
import { Anchored } from "./anchored.tsx";

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

interface MenuProps {
  /** Name of the button. */
  label: string;
  /** What the button shows. */
  children: ReactNode;
  /** Groups of items, parted by a line. */
  groups: readonly (readonly MenuItem[])[];
  className?: string;
  align?: "start" | "end";
}

/** A button that opens a list of actions. Arrows, Home, End and first letters move in it; Tab leaves it. */
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
      {open ? (
        <Anchored
          anchor={button}
          onClose={close}
          align={align}
          className="menu"
          role="menu"
          id={id}
          label={label}
          onKeyDown={(event) => moveInMenu(event, close)}
        >
          <MenuGroups
            groups={groups}
            onDone={() => {
              close();
              button.current?.focus();
            }}
          />
        </Anchored>
      ) : null}
    </>
  );
}

function MenuGroups({ groups, onDone }: { groups: MenuProps["groups"]; onDone: () => void }) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => list.current?.querySelector<HTMLElement>("[role^=menuitem]")?.focus(), []);
  return (
    <div ref={list} role="none">
      {groups
        .filter((group) => group.length > 0)
        .map((group) => (
          // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- a menu may hold groups, no fieldsets
          <div key={group[0]?.label} role="group" className="menu-group">
            {group.map((item) => (
              <MenuEntry key={item.label} item={item} onDone={onDone} />
            ))}
          </div>
        ))}
    </div>
  );
}

function MenuEntry({ item, onDone }: { item: MenuItem; onDone: () => void }) {
  const Icon = item.checked === undefined ? item.icon : item.checked ? Check : undefined;
  const content = (
    <>
      {Icon ? <Icon className="icon" aria-hidden="true" /> : <span className="icon" />}
      <span className="min-w-0 flex-1">
        {item.label}
        {item.disabledReason ? <span className="hint block">{item.disabledReason}</span> : null}
      </span>
      {item.keys ? <kbd aria-hidden="true">{item.keys}</kbd> : null}
    </>
  );
  const shared = { className: `menu-item ${item.danger ? "text-danger" : ""}`, tabIndex: -1 };
  if (item.href !== undefined) {
    return (
      <a {...shared} role="menuitem" href={item.href} onClick={onDone}>
        {content}
      </a>
    );
  }
  return (
    <button
      {...shared}
      type="button"
      role={item.checked === undefined ? "menuitem" : "menuitemradio"}
      aria-checked={item.checked}
      aria-disabled={item.disabledReason ? true : undefined}
      onClick={() => {
        if (item.disabledReason) return;
        onDone();
        item.run?.();
      }}
    >
      {content}
    </button>
  );
}

function moveInMenu(event: KeyboardEvent<HTMLDivElement>, close: () => void): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role^=menuitem]")];
  const here = items.indexOf(document.activeElement as HTMLElement);
  const goTo = (index: number) => {
    event.preventDefault();
    items.at(index % items.length)?.focus();
  };
  if (event.key === "Tab") close();
  else if (event.key === "ArrowDown") goTo(here + 1);
  else if (event.key === "ArrowUp") goTo(here - 1);
  else if (event.key === "Home") goTo(0);
  else if (event.key === "End") goTo(-1);
  else if (/^\p{L}$/u.test(event.key)) {
    const from = [...items.slice(here + 1), ...items.slice(0, here + 1)];
    from.find((item) => item.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  }
}
