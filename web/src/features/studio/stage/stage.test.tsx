// @vitest-environment jsdom
// The stage in every state of a task and both languages: what it says, what it offers, what the offers do.
import { taskErrorCodes } from "@safelight/contract";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mergeTask, type Task } from "../../../api/task-board.ts";
import { studioModels } from "../../../testing/offered-models.ts";
import { openPageServer, type PageServer, refusal } from "../../../testing/page-server.ts";
import { createItem, time } from "../../../testing/sample-tasks.ts";
import { fillWindowGaps } from "../../../testing/window-gaps.ts";
import { languages, setLanguage } from "../../../ui/language.ts";
import { Stage } from "./stage.tsx";
import { Strip } from "./strip.tsx";
import { pictureBefore } from "./task-facts.ts";
import type { StageTask } from "./use-stage-task.ts";

const newId = "01a1fea8-0f85-7e3e-934d-e47a283304e1";
let server: PageServer;

// What comes later than its place is there before anything is waited for.
beforeAll(() => import("../../../ui/menu-list.tsx"));
beforeEach(async () => {
  fillWindowGaps();
  window.history.replaceState({}, "", "/");
  server = await openPageServer(({ path }) => {
    if (path === "/generate") return { status: 202, body: { task_id: newId, status: "pending" } };
    if (path.startsWith("/status")) return refusal(404, "task_not_found");
    return { body: { models: [], items: [], catalog_version: "1" } };
  });
});
afterEach(async () => {
  cleanup();
  setLanguage("en");
  await server.close();
});

const task = (fields: Partial<Task>): Task => ({ ...mergeTask(createItem("a"), undefined), ...fields });
const image = task({
  status: "done",
  engine: "sketch",
  width: 1024,
  height: 1024,
  seed: 77,
  result_url: "/results/a",
  started_at: time(1),
  finished_at: time(3),
});
const clip: Partial<Task> = { type: "video", result_url: "/results/a", frames: 81, fps: 16 };
const failed = (code: keyof typeof taskErrorCodes) =>
  task({
    status: "failed",
    error: { code, detail: "English detail", user_action: "English action" },
    error_msg: "English detail",
  });

async function show(
  shown: Task | null,
  more: Partial<StageTask> = {},
  onExample = (_prompt: string) => {},
): Promise<string> {
  const stage: StageTask = { latest: [], shown, absent: false, show: () => {}, follow: () => {}, ...more };
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(["models"], { catalogVersion: "1", models: studioModels });
  const { container } = render(
    <QueryClientProvider client={client}>
      <Stage stage={stage} loading={false} onExample={onExample} />
    </QueryClientProvider>,
  );
  // The views of a task come as pieces of code of their own.
  await waitFor(() => expect(container.textContent).not.toBe(""));
  return container.textContent ?? "";
}

const button = (name: string | RegExp) => screen.getByRole("button", { name });

describe.each(languages.map(({ code }) => code))("every state (%s)", (language) => {
  const states: Readonly<Record<string, Task>> = {
    waiting: task({ queue_position: 3, eta_seconds: 20 }),
    running: task({ status: "processing", progress: 62, stage: "denoise", step: 5, steps: 8, eta_seconds: 5 }),
    done: image,
    gone: task({ status: "done", result_missing: true, result_url: "/results/a" }),
    ...Object.fromEntries(
      (Object.keys(taskErrorCodes) as (keyof typeof taskErrorCodes)[]).map((code) => [code, failed(code)]),
    ),
  };

  it.each(Object.keys(states))("%s is told in the page's own words", async (name) => {
    setLanguage(language);
    const state = states[name] ?? image;
    const text = (await show(state)).replaceAll(/prompt of a|English detail/g, "");
    if (name === "content_refused") expect(text.length).toBeGreaterThan(20);
    expect(text.length).toBeGreaterThan(10);
    const names = [...document.querySelectorAll("[aria-label], [title]")]
      .flatMap((element) => [element.getAttribute("aria-label"), element.getAttribute("title")])
      .join(" ")
      .replaceAll("prompt of a", "");
    const own = `${text} ${names}`.replaceAll(/FLUX\S* \[dev\]|Sketch|flux|t2i|Del|[a-z]+_[a-z_]+|cancelled/g, "");
    if (language === "ru") expect(own).not.toMatch(/[a-z]{3,}/i);
    else expect(own).not.toMatch(/[а-я]/i);
  });
});

describe("a task on its way (FR-004)", () => {
  it("tells stage, step, percent and what is left, and has a bar for each step", async () => {
    const text = await show(
      task({ status: "processing", progress: 62, stage: "denoise", step: 5, steps: 8, eta_seconds: 5 }),
    );
    expect(text).toContain("62 %");
    expect(text).toContain("Denoising, step 5 of 8");
    expect(text).toContain("5 s left");
    const bar = screen.getByRole("progressbar");
    expect(bar.getAttribute("aria-valuenow")).toBe("62");
    expect(bar.querySelectorAll(".done")).toHaveLength(5);
    expect(bar.children).toHaveLength(8);
  });

  it("says why it waits", async () => {
    expect(await show(task({ queue_position: 3 }))).toContain("It starts after 2 other tasks.");
    cleanup();
    expect(await show(task({ queue_position: 1 }))).toContain("It starts as soon as there is room.");
    cleanup();
    const told = (code: string) => ({ queue_position: 3, waiting_reason: { code, detail: "English of the server." } });
    const paused = await show(task(told("queue_paused")));
    expect(paused).toContain("the operator has paused the queue");
    expect(paused).not.toContain("It starts after");
    cleanup();
    expect(await show(task(told("busy")))).toContain("It starts after 2 other tasks.");
  });

  it("says that nothing can run it, and which reason the server gives", async () => {
    const [first] = studioModels;
    const reason = { code: "no_workers", detail: "No workspace offers it." };
    const client = new QueryClient();
    client.setQueryData(["models"], {
      catalogVersion: "1",
      models: [{ ...first, available: false, unavailable_reason: reason }],
    });
    const stage = {
      latest: [],
      shown: task({ model: first?.id ?? "" }),
      absent: false,
      show: () => {},
      follow: () => {},
    };
    render(
      <QueryClientProvider client={client}>
        <Stage stage={stage} loading={false} onExample={() => {}} />
      </QueryClientProvider>,
    );
    expect(await screen.findByText(/Nothing here can run it now \(.+\)/)).toBeTruthy();
  });

  it("can be cancelled", async () => {
    await show(task({ status: "processing", stage: "denoise", step: 1, steps: 8 }));
    fireEvent.click(button("Cancel"));
    await waitFor(() => expect(server.asked.some(({ path }) => path === "/cancel/a")).toBe(true));
  });
});

describe("a result", () => {
  it("hands settings and pictures to the recipe by the address", async () => {
    await show(image);
    fireEvent.click(button("Use these settings"));
    expect(window.location.search).toBe("?use=a&as=settings");
    fireEvent.click(button("Animate"));
    expect(window.location.search).toBe("?use=a&as=animate");
    fireEvent.keyDown(document.body, { key: "r" });
    expect(window.location.search).toBe("?use=a&as=reference");
    fireEvent.keyDown(document.body, { key: "u" });
    expect(window.location.search).toBe("?use=a&as=settings");
  });

  it("varies with another seed, and the stage follows the new task", async () => {
    const follows: string[] = [];
    await show(image, { follow: (id) => follows.push(id) });
    fireEvent.click(button("Vary"));
    await waitFor(() => expect(follows).toEqual([newId]));
    const sent = server.asked.find(({ path }) => path === "/generate")?.body as { seed?: number; prompt: string };
    expect(sent.prompt).toBe(image.prompt);
    expect(sent.seed).toBeUndefined();
  });

  it("is downloaded with its recipe or without", async () => {
    await show(image);
    expect(screen.getByRole("link", { name: "Download" }).getAttribute("href")).toBe("/results/a?download=1");
    fireEvent.click(button("More actions"));
    const plain = await screen.findByRole("menuitem", { name: "Download without the recipe", hidden: true });
    expect(plain.getAttribute("href")).toBe("/results/a?download=1&metadata=0");
    expect(screen.getByRole("menuitem", { name: "Open in the gallery", hidden: true }).getAttribute("href")).toBe(
      "/gallery?item=a",
    );
  });

  it("is animated only when it stands still, and has a player only when it moves", async () => {
    await show(image);
    expect(screen.queryByRole("group", { name: "Player" })).toBeNull();
    expect(button("Animate")).toBeTruthy();
    cleanup();
    await show({ ...image, ...clip });
    expect(screen.getByRole("group", { name: "Player" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Animate" })).toBeNull();
  });

  it("is marked as favourite", async () => {
    await show(image);
    fireEvent.click(button("Mark as favourite"));
    await waitFor(() => expect(server.asked.at(-1)).toMatchObject({ method: "PUT", body: { favourite: true } }));
  });

  it("names the words the miniature did not know, and what it drew instead where that differs", async () => {
    const warnings = [{ code: "unknown_words", words: ["cinematic", "film"], detail: "English detail" }];
    const text = await show({ ...image, warnings, completed_prompt: "a small castle" });
    expect(text).toContain("It did not know: cinematic, film");
    expect(text).toContain("It drew: a small castle");
    cleanup();
    const same = await show({ ...image, completed_prompt: image.prompt });
    expect(same).toContain("It knew every word of this prompt.");
    expect(same).not.toContain("It drew:");
  });

  it("says once what happened to several of its pictures", async () => {
    const cropped = { code: "reference_cropped", detail: "English detail" };
    const text = await show({
      ...image,
      warnings: [0, 40, 80].map((frame) => ({ ...cropped, parameter: `frame ${frame}` })),
    });
    expect(text.split("was cut off to fit the size")).toHaveLength(2);
  });

  it("compares with the picture it was made from, whatever the catalog calls it", async () => {
    for (const model of studioModels) {
      for (const { name } of model.parameters.filter(({ type }) => type === "image")) {
        expect(pictureBefore({ ...image, parameters: { [name]: "sha256-00" } }, model)).toBe("sha256-00");
      }
      expect(pictureBefore({ ...image, parameters: { prompt: "sha256-00" } }, model)).toBeNull();
    }
    const keyed = studioModels.flatMap((model) => {
      const field = model.parameters.find(({ type }) => type === "keyframes");
      return field ? [{ model, name: field.name }] : [];
    });
    expect(keyed.length).toBeGreaterThan(0);
    for (const { model, name } of keyed) {
      const frames = [
        { frame_index: 40, image: "sha256-40", strength: 1 },
        { frame_index: 0, image: "sha256-00", strength: 1 },
      ];
      expect(pictureBefore({ ...image, parameters: { [name]: frames } }, model)).toBe("sha256-00");
      expect(pictureBefore({ ...image, parameters: { [name]: frames.slice(0, 1) } }, model)).toBeNull();
    }
  });
});

describe("what came to nothing", () => {
  it("is tried again with the same seed, or edited", async () => {
    const follows: string[] = [];
    await show({ ...failed("out_of_memory"), seed: 77 }, { follow: (id) => follows.push(id) });
    expect(screen.getByRole("alert").textContent).toContain("Out of memory");
    expect(screen.getByText("English detail")).toBeTruthy();
    fireEvent.click(button("Retry"));
    await waitFor(() => expect(follows).toEqual([newId]));
    expect(server.asked.find(({ path }) => path === "/generate")?.body).toMatchObject({ seed: 77 });
    fireEvent.click(button("Edit"));
    expect(window.location.search).toBe("?use=a&as=settings");
  });

  it("is made again when only its file is gone (FR-007)", async () => {
    await show(task({ status: "done", result_missing: true, result_url: "/results/a" }));
    expect(screen.getByText("result_gone")).toBeTruthy();
    expect(button("Make it again")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Download" })).toBeNull();
  });

  it("is said of an address that names no task", async () => {
    const shows: (string | null)[] = [];
    await show(null, { absent: true, show: (id) => shows.push(id) });
    fireEvent.click(button("Show the newest"));
    expect(shows).toEqual([null]);
  });
});

describe("the stage with nothing on it", () => {
  it("puts an example into the recipe", async () => {
    const examples: string[] = [];
    await show(null, {}, (prompt) => examples.push(prompt));
    fireEvent.click(button("an orange cat in a forest"));
    expect(examples).toEqual(["an orange cat in a forest"]);
  });
});

describe("the strip", () => {
  const tasks = [
    task({ id: "c", status: "processing", progress: 8 }),
    task({ id: "b", ...clip, status: "done", finished_at: time(60) }),
    task({ id: "a", status: "done", finished_at: time(0), thumbnail_url: "/preview/a?thumbnail=1" }),
  ];

  it("is one stop for Tab; arrows, Home and End move in it, Enter chooses", async () => {
    const chosen: string[] = [];
    render(<Strip tasks={tasks} chosen="b" onChoose={(id) => chosen.push(id)} />);
    const items = screen.getAllByRole("button");
    expect(items.map(({ tabIndex }) => tabIndex)).toEqual([-1, 0, -1]);
    items[1]?.focus();
    const move = (key: string) => {
      fireEvent.keyDown(document.activeElement ?? document.body, { key });
      return items.indexOf(document.activeElement as HTMLElement);
    };
    expect([move("ArrowRight"), move("ArrowRight"), move("Home"), move("ArrowLeft"), move("End")]).toEqual([
      2, 2, 0, 0, 2,
    ]);
    expect(items.map(({ tabIndex }) => tabIndex)).toEqual([-1, -1, 0]);
    fireEvent.click(items[2] ?? document.body);
    expect(chosen).toEqual(["a"]);
  });

  it("tells percent, length and which one is on the stage", async () => {
    render(<Strip tasks={tasks} chosen="b" onChoose={() => {}} />);
    const [running, video, picture] = screen.getAllByRole("button");
    expect(running?.textContent).toContain("8 %");
    expect(video?.textContent).toContain("5 s");
    expect(video?.getAttribute("aria-current")).toBe("true");
    expect(picture?.querySelector("img")?.getAttribute("src")).toBe("/preview/a?thumbnail=1");
  });

  it("leaves out what was cancelled, but for the one on the stage", async () => {
    const cancelled = (id: string) => task({ ...failed("cancelled"), id });
    const all = [cancelled("x"), cancelled("y"), ...tasks, task({ ...failed("out_of_memory"), id: "z" })];
    const { rerender } = render(<Strip tasks={all} chosen="b" onChoose={() => {}} />);
    expect(screen.getAllByRole("button")).toHaveLength(tasks.length + 1);
    rerender(<Strip tasks={all} chosen="y" onChoose={() => {}} />);
    expect(screen.getAllByRole("button").map((item) => item.getAttribute("aria-current"))).toEqual([
      "true",
      ...[...tasks, "z"].map(() => "false"),
    ]);
  });
});
