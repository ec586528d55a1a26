import { Check } from "lucide-react";
import { type KeyboardEvent, type RefObject, useEffect, useRef } from "react";
import { Anchored } from "./anchored.tsx";
import type { MenuGroups, MenuItem } from "./menu-items.ts";

interface MenuListProps {
  anchor: RefObject<HTMLButtonElement | null>;
  id: string;
  label: string;
  groups: MenuGroups;
  align: "start" | "end";
  onClose: () => void;
}

/** The open list of a menu. Arrows, Home, End and first letters move in it; Tab leaves it. */
export function MenuList({ anchor, id, label, groups, align, onClose }: MenuListProps) {
  return (
    <Anchored
      anchor={anchor}
      onClose={onClose}
      align={align}
      className="menu"
      role="menu"
      id={id}
      label={label}
      onKeyDown={(event) => moveInMenu(event, onClose)}
    >
      <GroupedEntries
        groups={groups}
        onDone={() => {
          onClose();
          anchor.current?.focus();
        }}
      />
    </Anchored>
  );
}

function GroupedEntries({ groups, onDone }: { groups: MenuGroups; onDone: () => void }) {
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
