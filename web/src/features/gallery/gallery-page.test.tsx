// @vitest-environment jsdom
// The gallery page against a real server on a port of its own: what is mounted, what is asked, what is said.
import type { GalleryItem } from "@safelight/contract";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deleteNow } from "../../api/pending-deletes.ts";
import { applyEvents } from "../../api/task-changes.ts";
import { offeredModels } from "../../testing/offered-models.ts";
import { type Answer, openPageServer, type PageServer, refusal } from "../../testing/page-server.ts";
import { createItem } from "../../testing/sample-tasks.ts";
import { type Language, languages, setLanguage } from "../../ui/language.ts";
import { closeToast, readToasts } from "../../ui/toast-store.ts";
import { GalleryPage } from "./gallery-page.tsx";
import type { GallerySearch } from "./search.ts";

const perPage = 100;
/** A window of the desk: 1440 × 900. */
const screenSize = { width: 1440, height: 900 };

let server: PageServer;
let library: GalleryItem[] = [];
let listAnswer: ((path: string) => Answer | null) | null = null;
let deleteAnswer: (ids: readonly string[]) => Answer | null = (ids) => ({ body: { deleted: ids, failed: [] } });
let queryClient: QueryClient;

// The open picture comes later than the sheet; here it is there before anything is waited for.
beforeAll(() => import("./detail/detail.tsx"));
beforeEach(async () => {
  giveWindowSize();
  library = [];
  listAnswer = null;
  deleteAnswer = (ids) => ({ body: { deleted: ids, failed: [] } });
  queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  server = await openPageServer(({ path, body }) => {
    if (path.startsWith("/models")) return { body: { catalog_version: "1", models: offeredModels } };
    if (path.startsWith("/gallery/delete")) return deleteAnswer((body as { ids: string[] }).ids);
    if (path.startsWith("/gallery?")) return (listAnswer ?? pageOf)(path);
    const known = library.find((item) => path === `/tasks/${item.id}`);
    if (known) return { body: { ...createItem(known.id), ...known, status: "done", started_at: known.created_at } };
    return refusal(404, "task_not_found");
  });
});

afterEach(async () => {
  deleteNow();
  cleanup();
  queryClient.clear();
  for (const toast of readToasts()) closeToast(toast.id);
  setLanguage("en");
  await server.close();
});

/** jsdom lays nothing out; boxes have the size of the window. */
function giveWindowSize(): void {
  const size = (name: string, value: number) =>
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => value });
  size("clientWidth", screenSize.width);
  size("clientHeight", screenSize.height);
  size("offsetWidth", screenSize.width);
  size("offsetHeight", screenSize.height);
  globalThis.ResizeObserver = class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  window.matchMedia = (query) =>
    ({
      matches: query.includes("min-width"),
      media: query,
      addEventListener() {},
      removeEventListener() {},
    }) as unknown as MediaQueryList;
  const scrollTo = function (this: HTMLElement, options?: ScrollToOptions | number) {
    this.scrollTop = typeof options === "object" ? (options.top ?? 0) : 0;
    // As in a browser: later, never in the middle of what has asked for it.
    queueMicrotask(() => fireEvent.scroll(this));
  };
  HTMLElement.prototype.scrollTo = scrollTo as typeof HTMLElement.prototype.scrollTo;
  globalThis.CSS ??= { escape: (text: string) => text } as typeof CSS;
}

function pictures(count: number): GalleryItem[] {
  const start = Date.UTC(2026, 2, 1, 12);
  return Array.from({ length: count }, (_, index) =>
    picture(`p${String(index).padStart(5, "0")}`, start - index * 60_000, index),
  );
}

function picture(id: string, time: number, index: number, fields: Partial<GalleryItem> = {}): GalleryItem {
  const model = offeredModels.find((each) => each.type === "image");
  const created_at = new Date(time).toISOString();
  return {
    ...createItem(id),
    model: model?.id ?? "",
    mode: model?.default_mode ?? "",
    width: index % 3 === 0 ? 720 : 896,
    height: 896,
    result_url: `/results/${id}`,
    result_type: "image/png",
    created_at,
    finished_at: created_at,
    ...fields,
  } as GalleryItem;
}

function pageOf(path: string): Answer {
  const query = new URL(path, "http://page").searchParams;
  const q = query.get("q");
  const from = query.get("from");
  const match = library.filter(
    (item) => (q === null || item.prompt.includes(q)) && (from === null || item.created_at >= from),
  );
  const start = Number(query.get("cursor") ?? 0);
  const size = Number(query.get("per_page") ?? perPage);
  const has_more = start + size < match.length;
  return {
    body: {
      items: match.slice(start, start + size),
      total: match.length,
      total_is_exact: true,
      page: 1,
      per_page: size,
      has_more,
      next_cursor: has_more ? String(start + size) : null,
    },
  };
}

function Host({ start = {} }: { start?: GallerySearch }) {
  const [search, setSearch] = useState<GallerySearch>(start);
  return (
    <QueryClientProvider client={queryClient}>
      <output data-testid="address">{JSON.stringify(search)}</output>
      <GalleryPage
        search={search}
        entry="test"
        onSearch={setSearch}
        onOpen={setSearch}
        onClose={setSearch}
        onLeave={() => {}}
      />
    </QueryClientProvider>
  );
}

const cells = () => [...document.querySelectorAll<HTMLElement>("[data-print]")];
const ids = () => cells().map((cell) => cell.dataset.print);
const address = () => JSON.parse(screen.getByTestId("address").textContent ?? "{}") as GallerySearch;
const opener = (id: string) => document.querySelector<HTMLElement>(`[data-print="${id}"] button`);
const bodies = (path: string) => server.asked.filter((asked) => asked.path.startsWith(path)).map(({ body }) => body);

async function showGallery(start: GallerySearch = {}) {
  render(<Host start={start} />);
  await waitFor(() => expect(cells().length).toBeGreaterThan(0));
}

/** A turn of the wheel, as the browser tells of it. */
async function scrollTo(top: number) {
  const scroller = document.querySelector<HTMLElement>(".sheet");
  if (scroller === null) throw new Error("There is no sheet.");
  scroller.scrollTop = top;
  await act(async () => {
    fireEvent.scroll(scroller);
  });
}

describe("an endless sheet", () => {
  // A browser is shown ten thousand, in e2e/large-gallery.long.test.ts.
  it("mounts at most 200 cells of 1,500 pictures, at the top, in the middle and at the end", async () => {
    library = pictures(1_500);
    await showGallery({ size: "small" });
    let highest = 0;
    // However long the pages take to come: the time of the test alone ends it.
    while (!ids().includes("p01499")) {
      const height = Number.parseFloat(document.querySelector<HTMLElement>(".sheet-rows")?.style.height ?? "0");
      await scrollTo(height);
      highest = Math.max(highest, cells().length);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(highest).toBeGreaterThan(30);
    expect(highest).toBeLessThanOrEqual(200);
    await scrollTo(6_000);
    expect(cells().length).toBeLessThanOrEqual(200);
    await scrollTo(0);
    expect(ids()).toContain("p00000");
    // Every page was asked for once.
    const cursors = server.asked.filter(({ path }) => path.includes("per_page=100")).map(({ path }) => path);
    expect(new Set(cursors).size).toBe(cursors.length);
    expect(cursors).toHaveLength(15);
  });

  it("a scroll within what is mounted draws no cell anew", async () => {
    library = pictures(90);
    await showGallery();
    const before = cells();
    await scrollTo(10);
    expect(cells().filter((cell) => before.includes(cell)).length).toBe(before.length);
  });
});

describe("keys and selection", () => {
  it("one picture is reached by Tab; arrows move, Space chooses, Shift extends, Escape gives back", async () => {
    library = pictures(40);
    await showGallery();
    expect(document.querySelectorAll("[data-print] button[tabindex='0']")).toHaveLength(1);
    act(() => opener("p00000")?.focus());
    fireEvent.keyDown(document.activeElement ?? document.body, { key: "ArrowRight" });
    await waitFor(() => expect(document.activeElement).toBe(opener("p00001")));
    expect(document.querySelectorAll("[data-print] button[tabindex='0']")).toHaveLength(1);
    fireEvent.keyDown(document.activeElement ?? document.body, { key: " " });
    fireEvent.keyDown(document.activeElement ?? document.body, { key: "ArrowRight", shiftKey: true });
    await waitFor(() => expect(document.activeElement).toBe(opener("p00002")));
    await screen.findByText("2 selected");
    fireEvent.keyDown(document.activeElement ?? document.body, { key: "a", ctrlKey: true });
    await screen.findByText("40 selected");
    fireEvent.keyDown(document.activeElement ?? document.body, { key: "Escape" });
    await waitFor(() => expect(screen.queryByRole("toolbar")).toBeNull());
  });

  it("a press opens the picture in the address and Escape comes back to its cell", async () => {
    library = pictures(10);
    await showGallery();
    fireEvent.click(opener("p00003") ?? document.body);
    await screen.findByRole("dialog", { name: "Picture and recipe" });
    expect(address().item).toBe("p00003");
    fireEvent.keyDown(document.body, { key: "ArrowRight" });
    await waitFor(() => expect(address().item).toBe("p00004"));
    fireEvent.keyDown(document.body, { key: "Escape" });
    await waitFor(() => expect(address().item).toBeUndefined());
    await waitFor(() => expect(document.activeElement).toBe(opener("p00004")));
  });
});

describe("deleting", () => {
  async function deleteFirst() {
    act(() => opener("p00000")?.focus());
    fireEvent.keyDown(opener("p00000") ?? document.body, { key: "Delete" });
    await waitFor(() => expect(ids()).not.toContain("p00000"));
  }

  it("takes the picture out of sight at once and sends nothing while it can be taken back", async () => {
    library = pictures(5);
    await showGallery();
    await deleteFirst();
    expect(bodies("/gallery/delete")).toEqual([]);
    act(() =>
      readToasts()
        .find((toast) => toast.action)
        ?.action?.run(),
    );
    await waitFor(() => expect(ids()).toContain("p00000"));
    act(deleteNow);
    expect(bodies("/gallery/delete")).toEqual([]);
  });

  it.each(["pagehide", "visibilitychange"])(
    "sends the request at once on %s, once, for all that waits",
    async (event) => {
      library = pictures(5);
      await showGallery();
      await deleteFirst();
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
      const target = event === "pagehide" ? window : document;
      act(() => void target.dispatchEvent(new Event(event)));
      act(() => void window.dispatchEvent(new Event("pagehide")));
      Reflect.deleteProperty(document, "visibilityState");
      await waitFor(() => expect(bodies("/gallery/delete")).toEqual([{ ids: ["p00000"] }]));
      expect(readToasts().some((toast) => toast.action?.label === "Undo")).toBe(false);
      expect(ids()).not.toContain("p00000");
    },
  );

  it("brings back what the server would not delete and says why", async () => {
    library = pictures(5);
    deleteAnswer = (wanted) => ({
      body: { deleted: [], failed: wanted.map((id) => ({ id, code: "task_not_ended" })) },
    });
    await showGallery();
    await deleteFirst();
    act(deleteNow);
    await waitFor(() => expect(ids()).toContain("p00000"));
    expect(readToasts().find((toast) => toast.tone === "error")?.detail).toContain("has not ended");
  });

  it("brings everything back when the server does not answer", async () => {
    library = pictures(5);
    deleteAnswer = () => null;
    await showGallery();
    await deleteFirst();
    act(deleteNow);
    await waitFor(() => expect(ids()).toContain("p00000"));
    expect(readToasts().some((toast) => toast.tone === "error")).toBe(true);
  });

  it("a picture deleted in another tab leaves this one, and the open picture moves on", async () => {
    library = pictures(5);
    await showGallery({ item: "p00001" });
    await screen.findByRole("dialog");
    act(() => applyEvents(queryClient, [{ id: 1, type: "task.deleted", data: { task_id: "p00001" } }]));
    await waitFor(() => expect(address().item).toBe("p00002"));
    expect(ids()).not.toContain("p00001");
    expect(readToasts().some((toast) => toast.text.includes("deleted elsewhere"))).toBe(true);
  });
});

describe("what happens elsewhere", () => {
  it("a favourite marked in another tab is marked here", async () => {
    library = pictures(3);
    await showGallery();
    expect(document.querySelectorAll(".cell-favourite")).toHaveLength(0);
    act(() =>
      applyEvents(queryClient, [{ id: 2, type: "task.favourite", data: { task_id: "p00001", favourite: true } }]),
    );
    await waitFor(() => expect(document.querySelectorAll(".cell-favourite")).toHaveLength(1));
  });

  it("the search goes into the address when the typing rests", async () => {
    library = pictures(20);
    await showGallery();
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "p00007" } });
    expect(address().q).toBeUndefined();
    await waitFor(() => expect(address().q).toBe("p00007"));
    await waitFor(() => expect(ids()).toEqual(["p00007"]));
  });
});

describe.each(languages.map(({ code }) => code))("states in words (%s)", (language: Language) => {
  const words = {
    en: { empty: "Nothing here yet", none: "Nothing matches", failed: "could not be loaded", gone: "File gone" },
    ru: { empty: "Здесь пока пусто", none: "Ничего не нашлось", failed: "не удалось загрузить", gone: "Файла нет" },
  }[language];

  beforeEach(() => setLanguage(language));

  it("nothing yet", async () => {
    render(<Host />);
    await screen.findByText(words.empty);
  });

  it("nothing matches, and the way out of it", async () => {
    library = pictures(2);
    render(<Host start={{ q: "zebra" }} />);
    await screen.findByText(words.none);
    fireEvent.click(
      screen.getAllByRole("button", { name: language === "en" ? "Clear filters" : "Сбросить" })[0] ?? document.body,
    );
    await waitFor(() => expect(cells()).toHaveLength(2));
  });

  it("an error, and another try", async () => {
    library = pictures(2);
    listAnswer = () => refusal(503, "storage_unavailable");
    render(<Host />);
    await screen.findByText(new RegExp(words.failed));
    listAnswer = null;
    fireEvent.click(screen.getByRole("button", { name: language === "en" ? "Try again" : "Повторить" }));
    await waitFor(() => expect(cells()).toHaveLength(2));
  });

  it("a record whose file is missing stays and says so (FR-007)", async () => {
    library = [picture("gone", Date.UTC(2026, 2, 1), 0, { result_missing: true }), ...pictures(1)];
    await showGallery();
    expect(screen.getByRole("button", { name: new RegExp(`^${words.gone}`) })).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: new RegExp(`^${words.gone}`) }));
    const dialog = await screen.findByRole("dialog");
    expect(dialog.textContent).toContain(words.gone);
  });
});
