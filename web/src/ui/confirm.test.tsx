// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fillWindowGaps } from "../testing/window-gaps.ts";
import { ConfirmHost, type ConfirmRequest, confirmAction } from "./confirm.tsx";

// The dialog comes later than its place; here it is there before anything is waited for.
beforeAll(() => import("./confirm-dialog.tsx"));
beforeEach(() => fillWindowGaps());
afterEach(cleanup);

const request: ConfirmRequest = {
  title: "Delete 3 pictures?",
  text: "They are gone.",
  confirm: "Delete 3",
  danger: true,
};

/** Asks, and waits until the question stands on the page. */
async function ask(change: Partial<ConfirmRequest> = {}): Promise<{ answer: Promise<boolean> }> {
  render(<ConfirmHost />);
  let answer: Promise<boolean> = Promise.resolve(false);
  act(() => {
    answer = confirmAction({ ...request, ...change });
  });
  await screen.findByRole("alertdialog", { name: request.title, hidden: true });
  return { answer };
}

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name, hidden: true }));

describe("a question before something is done", () => {
  it("is agreed to by its verb alone", async () => {
    const { answer } = await ask();
    press("Delete 3");
    expect(await answer).toBe(true);
    expect(screen.queryByText(request.text)).toBeNull();
  });

  it("is refused by the safe button, which comes first, and by Escape", async () => {
    const first = await ask();
    expect(screen.getAllByRole("button", { hidden: true })[0]?.textContent).toBe("Keep");
    press("Keep");
    expect(await first.answer).toBe(false);
    cleanup();
    const second = await ask();
    fireEvent(screen.getByRole("alertdialog", { hidden: true }), new Event("cancel", { cancelable: true }));
    expect(await second.answer).toBe(false);
  });

  it("can ask for a word, and does nothing without it", async () => {
    const { answer } = await ask({ typed: "1284" });
    const button = screen.getByRole("button", { name: "Delete 3", hidden: true }) as HTMLButtonElement;
    const field = screen.getByLabelText("Type 1284 to confirm");
    expect(button.disabled).toBe(true);
    fireEvent.change(field, { target: { value: "128" } });
    expect(button.disabled).toBe(true);
    fireEvent.change(field, { target: { value: " 1284 " } });
    expect(button.disabled).toBe(false);
    press("Delete 3");
    expect(await answer).toBe(true);
  });

  it("waits for the one before it", async () => {
    const { answer } = await ask();
    let later: Promise<boolean> = Promise.resolve(true);
    act(() => {
      later = confirmAction({ ...request, title: "Cancel all?", confirm: "Cancel" });
    });
    expect(screen.queryByText("Cancel all?")).toBeNull();
    press("Delete 3");
    expect(await answer).toBe(true);
    await screen.findByText("Cancel all?");
    press("Keep");
    expect(await later).toBe(false);
  });
});
