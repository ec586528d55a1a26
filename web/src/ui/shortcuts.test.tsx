// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fillWindowGaps } from "../testing/window-gaps.ts";
import { openShortcutList, shortcutsInForce, useShortcuts, useSingleKeys } from "./shortcuts.ts";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";

let pressed: string[] = [];
const run = (name: string) => ({ label: name, run: () => void pressed.push(name) });

function Page({ covered = false }: { covered?: boolean }) {
  useShortcuts("Page", {
    d: run("download"),
    "mod+Enter": run("generate"),
    "g h": run("history"),
    Escape: run("away"),
  });
  return (
    <>
      {covered ? <Cover /> : null}
      <textarea aria-label="Prompt" />
    </>
  );
}

function Cover() {
  useShortcuts("Cover", { d: run("delete") });
  return null;
}

function Switch() {
  const { on, setOn } = useSingleKeys();
  return (
    <button type="button" onClick={() => setOn(!on)}>
      Single keys
    </button>
  );
}

const press = (key: string, more: KeyboardEventInit = {}, target: Element = document.body) =>
  fireEvent.keyDown(target, { key, ...more });

beforeEach(() => {
  fillWindowGaps();
  pressed = [];
});
afterEach(() => {
  cleanup();
  localStorage.clear();
});

describe("the keys of the page", () => {
  it("belong to the part that came last, and go with it", () => {
    const { rerender, unmount } = render(<Page />);
    rerender(<Page covered />);
    press("d");
    rerender(<Page />);
    press("d");
    unmount();
    press("d");
    expect(pressed).toEqual(["delete", "download"]);
    expect(shortcutsInForce()).toEqual([]);
  });

  it("rest while a field has the focus; with Ctrl they do not (WCAG 2.1.4)", () => {
    render(<Page />);
    const field = screen.getByRole("textbox", { name: "Prompt" });
    press("d", {}, field);
    press("Enter", { ctrlKey: true }, field);
    expect(pressed).toEqual(["generate"]);
  });

  it("follow one another where two make one", () => {
    render(<Page />);
    press("g");
    press("h");
    press("h");
    expect(pressed).toEqual(["history"]);
  });

  it("can be switched off, Escape excepted (WCAG 2.1.4)", () => {
    render(
      <>
        <Page />
        <Switch />
      </>,
    );
    fireEvent.click(screen.getByRole("button", { name: "Single keys" }));
    press("d");
    press("Escape");
    fireEvent.click(screen.getByRole("button", { name: "Single keys" }));
    press("d");
    expect(pressed).toEqual(["away", "download"]);
  });

  it("are listed with the part that has them", () => {
    render(
      <>
        <Page />
        <ShortcutsDialog />
      </>,
    );
    expect(screen.queryByText("download")).toBeNull();
    act(() => openShortcutList());
    expect(screen.getByText("Page")).toBeTruthy();
    expect(screen.getByText("download")).toBeTruthy();
    act(() => openShortcutList(false));
    expect(screen.queryByText("download")).toBeNull();
  });
});
