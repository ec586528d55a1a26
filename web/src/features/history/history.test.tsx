// @vitest-environment jsdom
// Rows of the history in every state and both languages, their days, and the address.

import { taskErrorCodes } from "@safelight/contract";
import { fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { mergeTask, type Task } from "../../api/task-board.ts";
import { createItem, time } from "../../testing/sample-tasks.ts";
import { languages, setLanguage } from "../../ui/language.ts";
import { linesOf } from "./history-list.tsx";
import type { RowActions } from "./row-parts.tsx";
import { filtersOf, parseHistorySearch } from "./search.ts";
import { TaskDetails } from "./task-details.tsx";
import { TaskRow } from "./task-row.tsx";

afterEach(() => {
  document.body.replaceChildren();
  setLanguage("en");
});

const task = (fields: Partial<Task>): Task => ({ ...mergeTask(createItem("a"), undefined), ...fields });

function actionsInto(pressed: string[]): RowActions {
  const note = (name: string) => () => void pressed.push(name);
  return {
    toggle: note("toggle"),
    cancel: note("cancel"),
    retry: note("retry"),
    vary: note("vary"),
    use: note("use"),
    remove: note("remove"),
  };
}

function show(shown: Task, pressed: string[] = []): string {
  const { container } = render(<TaskRow task={shown} model={undefined} open={false} actions={actionsInto(pressed)} />);
  return container.textContent ?? "";
}

const failed = (code: keyof typeof taskErrorCodes) =>
  task({ status: "failed", error: { code, detail: "English detail", user_action: "English action" } });

describe("a row", () => {
  it.each(languages.map(({ code }) => code))("tells every state in words of the language (%s)", (language) => {
    setLanguage(language);
    const codes = Object.keys(taskErrorCodes) as (keyof typeof taskErrorCodes)[];
    const states: Task[] = [
      task({ queue_position: 3, eta_seconds: 20 }),
      task({ queue_position: 3, waiting_reason: { code: "draining", detail: "English detail" } }),
      task({ status: "processing", progress: 62, stage: "denoise", step: 5, steps: 8, attempt: 2, eta_seconds: 5 }),
      task({ status: "done", started_at: time(1), finished_at: time(3), result_url: "/results/a" }),
      task({ status: "done", result_missing: true }),
      ...codes.map(failed),
    ];
    const told = states.map((state) => show(state));
    expect(new Set(told).size).toBe(states.length);
    for (const [index, text] of told.entries()) {
      expect(text, `state ${index}`).not.toContain("English");
      const said = text.replaceAll(/prompt of a|flux|t2i|·|[a-z]+_[a-z_]+|cancelled/g, "");
      if (language === "ru") expect(said, `state ${index}`).not.toMatch(/[a-z]{3,}/i);
    }
  });

  it("a failure stands with its code, its reason and what to do about it", () => {
    const text = show(failed("out_of_memory"));
    expect(text).toContain("Out of memory");
    expect(text).toContain("smaller frame");
    expect(text).toContain("out_of_memory");
  });

  it("offers what can be done in its state, named with the prompt", () => {
    const pressed: string[] = [];
    show(failed("timed_out"), pressed);
    for (const name of ["Retry: prompt of a", "Edit: prompt of a", "Delete: prompt of a"]) {
      fireEvent.click(screen.getByRole("button", { name }));
    }
    expect(pressed).toEqual(["retry", "use", "remove"]);
    document.body.replaceChildren();
    show(task({ status: "processing" }), pressed);
    fireEvent.click(screen.getByRole("button", { name: "Cancel: prompt of a" }));
    expect(pressed.at(-1)).toBe("cancel");
    expect(screen.queryByRole("button", { name: /Delete/ })).toBeNull();
  });

  it("a task that is being cancelled is not cancelled twice", () => {
    const pressed: string[] = [];
    show(task({ status: "processing", stage: "cancelling" }), pressed);
    fireEvent.click(screen.getByRole("button", { name: /^Cancelling/ }));
    expect(pressed).toEqual([]);
  });
});

describe("the details of a row", () => {
  const details = (shown: Task) => {
    const { container } = render(<TaskDetails id="details" task={shown} model={undefined} actions={actionsInto([])} />);
    return container;
  };

  it("give the server's own sentence as what it is, English, and none for what somebody cancelled", () => {
    setLanguage("ru");
    expect(details(failed("engine_failed")).querySelector("[lang=en]")?.textContent).toBe("English detail");
    expect(details(failed("cancelled")).textContent).not.toContain("English");
  });

  it("name what made it as people do, and say once what happened to several pictures", () => {
    const warnings = [0, 40].map((frame) => ({
      code: "reference_cropped" as const,
      detail: "English detail",
      parameter: `frame ${frame}`,
    }));
    const text = details(task({ status: "done", engine: "sketch", warnings })).textContent ?? "";
    expect(text).toContain("Sketch");
    expect(text.split("cut off to fit the size")).toHaveLength(2);
  });
});

describe("the list", () => {
  it("has one heading for each day", () => {
    const days = [26, 25, 1].map((hour) => task({ created_at: time(hour * 3600) }));
    expect(linesOf(days).map((line) => line.kind)).toEqual(["day", "task", "task", "day", "task"]);
  });
});

describe("the address", () => {
  it("keeps what it knows and leaves out what it does not", () => {
    const search = { status: "failed", type: "sound", q: "red boat", from: "2026-02-30", to: "2026-03-01", x: "1" };
    expect(parseHistorySearch(search)).toEqual({ status: "failed", q: "red boat", to: "2026-03-01" });
    expect(parseHistorySearch({ status: ["failed"], q: 4, model: "m".repeat(65) })).toEqual({});
  });

  it("means whole days of this machine's calendar", () => {
    const { from, to } = filtersOf({ from: "2026-03-01", to: "2026-03-01" });
    expect(Date.parse(to ?? "") - Date.parse(from ?? "")).toBe(24 * 3600 * 1000 - 1);
  });
});
