// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fillWindowGaps } from "../testing/window-gaps.ts";
import { Menu } from "./menu.tsx";

let done: string[] = [];
// The list comes later than the button; here it is there before anything is waited for.
beforeAll(() => import("./menu-list.tsx"));
beforeEach(() => {
  fillWindowGaps();
  done = [];
});
afterEach(cleanup);

const item = (label: string, more = {}) => ({ label, run: () => void done.push(label), ...more });

async function open(): Promise<HTMLElement> {
  render(
    <Menu
      label="More"
      groups={[[item("Vary"), item("Animate", { disabledReason: "It moves already" })], [], [item("Delete")]]}
    >
      …
    </Menu>,
  );
  fireEvent.click(screen.getByRole("button", { name: "More" }));
  return screen.findByRole("menu", { hidden: true });
}

const key = (menu: HTMLElement, name: string) => fireEvent.keyDown(menu, { key: name });
const focused = () => document.activeElement?.textContent;

describe("a menu", () => {
  it("begins at its first entry and goes round by arrows, Home, End and first letters", async () => {
    const menu = await open();
    const seen = [focused()];
    for (const name of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Home", "End", "a"]) {
      key(menu, name);
      seen.push(focused());
    }
    const animate = "AnimateIt moves already";
    expect(seen).toEqual(["Vary", animate, "Delete", "Vary", "Delete", "Vary", "Delete", animate]);
  });

  it("does what is chosen, closes and gives the focus back", async () => {
    await open();
    fireEvent.click(screen.getByRole("menuitem", { name: "Delete", hidden: true }));
    expect(done).toEqual(["Delete"]);
    expect(screen.queryByRole("menu", { hidden: true })).toBeNull();
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "More" }));
  });

  it("says why an entry cannot be used, and does not use it", async () => {
    await open();
    const entry = screen.getByRole("menuitem", { name: /Animate.*It moves already/, hidden: true });
    fireEvent.click(entry);
    expect([done, entry.getAttribute("aria-disabled")]).toEqual([[], "true"]);
  });

  it("closes on Escape and on a press elsewhere", async () => {
    const menu = await open();
    key(menu, "Escape");
    expect(screen.queryByRole("menu", { hidden: true })).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "More" }));
    await screen.findByRole("menu", { hidden: true });
    fireEvent.pointerDown(document.body);
    expect(screen.queryByRole("menu", { hidden: true })).toBeNull();
  });
});
