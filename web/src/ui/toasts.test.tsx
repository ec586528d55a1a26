// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { closeToast, readToasts } from "./toast-store.ts";
import { showToast, type ToastRequest, Toasts } from "./toasts.tsx";

beforeEach(() => {
  vi.useFakeTimers();
  render(<Toasts />);
});
afterEach(() => {
  act(() => {
    for (const { id } of readToasts()) closeToast(id);
  });
  cleanup();
  vi.useRealTimers();
});

const say = (request: ToastRequest): void => {
  act(() => {
    showToast(request);
  });
};
const wait = (milliseconds: number): void => {
  act(() => {
    vi.advanceTimersByTime(milliseconds);
  });
};
const said = () => readToasts().map(({ text }) => text);

describe("a word in the corner", () => {
  it("goes by itself after six seconds, an error only when it is closed", () => {
    say({ text: "Saved" });
    say({ text: "Not saved", tone: "error" });
    wait(5_999);
    expect(said()).toEqual(["Saved", "Not saved"]);
    wait(1);
    expect(said()).toEqual(["Not saved"]);
    wait(600_000);
    fireEvent.click(within(screen.getByRole("alert")).getByRole("button", { name: "Close" }));
    expect(said()).toEqual([]);
  });

  it("stays while the pointer or the focus is on it", () => {
    say({ text: "Deleted", action: { label: "Undo", run: () => {} } });
    fireEvent.focus(screen.getByRole("button", { name: "Undo" }));
    wait(60_000);
    expect(said()).toEqual(["Deleted"]);
    fireEvent.blur(screen.getByRole("button", { name: "Undo" }));
    wait(6_000);
    expect(said()).toEqual([]);
  });

  it("does what it offers once, and is gone", () => {
    let undone = 0;
    say({ text: "Deleted", action: { label: "Undo", run: () => undone++ } });
    fireEvent.click(screen.getByRole("button", { name: "Undo" }));
    expect([undone, said()]).toEqual([1, []]);
  });

  it("is one of three at most: the oldest that is no error makes room", () => {
    say({ text: "Broken", tone: "error" });
    for (const text of ["a", "b", "c"]) say({ text });
    expect(said()).toEqual(["Broken", "b", "c"]);
  });

  it("is not said twice", () => {
    say({ text: "Copied" });
    say({ text: "Copied" });
    expect(said()).toEqual(["Copied"]);
  });
});
