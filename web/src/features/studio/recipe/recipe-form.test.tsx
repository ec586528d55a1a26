// @vitest-environment jsdom
import { checkRequest } from "@safelight/catalog";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Parameter, StudioModel } from "../../../api/studio-model.ts";
import { pairs, studioModels } from "../../../testing/offered-models.ts";
import { type Answer, type Asked, openPageServer, type PageServer, refusal } from "../../../testing/page-server.ts";
import { localize, setLanguage } from "../../../ui/language.ts";
import { shortcutsInForce } from "../../../ui/shortcuts.ts";
import { RecipeColumn } from "./components/recipe-column.tsx";
import { placed } from "./model/places.ts";
import { chosenMode, emptyRecipe, isPictorial, parametersInForce, valueOf, withValue } from "./model/recipe.ts";
import { changeRecipe, currentRecipe, reloadRecipe } from "./model/recipe-store.ts";
import { keyframesIn, type Picture } from "./model/values.ts";

let server: PageServer;
let answer: (asked: Asked) => Answer | null;
let accepted: string[];
let taken = 0;

beforeEach(async () => {
  sessionStorage.clear();
  setLanguage("en");
  reloadRecipe();
  changeRecipe(() => emptyRecipe);
  accepted = [];
  answer = accept;
  server = await openPageServer((asked) => answer(asked));
});

afterEach(async () => {
  cleanup();
  await server.close();
});

function accept(asked: Asked): Answer {
  if (asked.path !== "/generate") return { body: { catalog_version: "1", models: [], items: [] } };
  taken += 1;
  return { status: 202, body: { task_id: `task-${String(taken)}`, status: "pending" } };
}

function show(models: readonly StudioModel[] = studioModels) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false, enabled: false } } });
  const onAccepted = (id: string) => accepted.push(id);
  return render(
    <QueryClientProvider client={queryClient}>
      <RecipeColumn models={models} online onAccepted={onAccepted} />
    </QueryClientProvider>,
  );
}

function choose(model: StudioModel, mode: string): void {
  changeRecipe((recipe) => ({ ...recipe, model: model.id, modes: { ...recipe.modes, [model.id]: mode } }));
}

function picture(index: number): Picture {
  const id = `sha256-${String(index).padStart(64, "0")}`;
  return { id, name: `picture ${index}.png`, width: 64, height: 64, bytes: 900, url: `/uploads/${id}` };
}

/** What a person would put in: a prompt and every picture that the mode asks for. */
function fillIn(model: StudioModel, mode: string): void {
  choose(model, mode);
  for (const entry of parametersInForce(model, mode)) {
    if (entry.name === "prompt") changeRecipe((recipe) => withValue(recipe, model, entry, "a red boat"));
    if (!isPictorial(entry)) continue;
    for (let index = 0; index < (entry.min_items ?? 1); index += 1) {
      changeRecipe((recipe) => {
        const held = valueOf(recipe, model, entry);
        return withValue(recipe, model, entry, placed(picture(index), entry, held, numbers(model, mode)));
      });
    }
  }
}

function numbers(model: StudioModel, mode: string): Record<string, number> {
  return Object.fromEntries(
    parametersInForce(model, mode).flatMap((entry) => {
      const value = valueOf(currentRecipe(), model, entry);
      return typeof value === "number" ? [[entry.name, value]] : [];
    }),
  );
}

function generateButton(): HTMLElement {
  return screen.getByRole("button", { name: /^(Generate|Sending|Создать|Отправляется)/ });
}

function sent(): Record<string, unknown>[] {
  return server.asked.filter(({ path }) => path === "/generate").map(({ body }) => body as Record<string, unknown>);
}

/** The control, or the text, that stands for a parameter. */
function controlOf(entry: Parameter): HTMLElement {
  const label = localize(entry.label);
  const choice = screen.queryByRole("radiogroup", { name: label });
  if (choice) return choice;
  const [labelled] = screen.queryAllByLabelText(label);
  return labelled ?? screen.getAllByText(label)[0] ?? document.body;
}

function findParameter(model: StudioModel, wanted: (entry: Parameter) => boolean): Parameter {
  const found = model.parameters.find(wanted);
  if (found === undefined) throw new Error(`${model.id} has no such parameter`);
  return found;
}

const withKeyframes = pairs.find(({ model, mode }) =>
  parametersInForce(model, mode).some(({ type }) => type === "keyframes"),
);
const plain = pairs.find(({ model, mode }) => !parametersInForce(model, mode).some(isPictorial));
if (withKeyframes === undefined || plain === undefined) throw new Error("the catalog has lost its modes");

// The part with pictures comes later than its place, and the track of key frames within it; here they are there before anything is
// waited for.
beforeAll(async () => {
  fillIn(withKeyframes.model, withKeyframes.mode);
  show();
  await screen.findByRole("slider", { name: "Key frame 1" });
  cleanup();
});

describe.each(pairs)("the form of $name is the catalog's (US1, FR-003)", ({ model, mode }) => {
  beforeEach(() => {
    fillIn(model, mode);
    show();
  });

  test("every parameter in force stands there with its default and limits; no other one does", () => {
    const inForce = parametersInForce(model, mode);
    for (const entry of inForce.filter((each) => !each.locked && !isPictorial(each))) {
      const control = controlOf(entry);
      expect(control, entry.name).not.toBe(document.body);
      if (control instanceof HTMLInputElement && control.type === "range") {
        expect({ min: control.min, max: control.max, value: control.value }, entry.name).toEqual({
          min: String(entry.min),
          max: String(entry.max),
          value: String(entry.default),
        });
      }
      if (entry.options !== undefined) {
        const chosen = within(control).queryByRole("radio", { checked: true });
        const shown = localize(entry.option_labels?.[String(entry.default)]) ?? String(entry.default);
        if (chosen) expect(chosen.closest("label")?.textContent).toBe(shown);
        else expect(control).toHaveProperty("value", String(entry.default));
      }
    }
    const here = new Set(inForce.map(({ label }) => label.en));
    // A mode may go by the name of a parameter.
    const modes = screen.getByRole("radiogroup", { name: "Mode" });
    const others = studioModels.flatMap(({ parameters }) => parameters).filter(({ label }) => !here.has(label.en));
    for (const entry of others) {
      const found = screen.queryAllByLabelText(entry.label.en).filter((control) => !modes.contains(control));
      expect(found, entry.name).toEqual([]);
    }
  });

  test("locked ones are text: their value, and the reason", () => {
    for (const entry of parametersInForce(model, mode).filter(({ locked }) => locked)) {
      const row = screen.getAllByText(entry.label.en).map((label) => label.closest(".param"))[0];
      expect(row?.textContent).toContain(String(entry.default));
      expect(row?.textContent).toContain(entry.help?.en);
      expect(row?.querySelector("input, select, button")).toBeNull();
    }
  });

  test("what Generate sends is what the catalog accepts", async () => {
    await act(async () => fireEvent.click(generateButton()));
    await waitFor(() => expect(sent()).toHaveLength(1));
    expect(checkRequest(sent()[0] ?? {})).toMatchObject({ ok: true, model: model.id, mode });
    await waitFor(() => expect(accepted).toHaveLength(1));
  });

  test("nothing filled in: nothing is sent, each missing field says so, the first has the focus", () => {
    act(() => {
      changeRecipe(() => emptyRecipe);
      choose(model, mode);
    });
    act(() => void fireEvent.click(generateButton()));
    const missing = parametersInForce(model, mode).filter(({ required_in }) => required_in.includes(mode));
    const alert = screen.getByRole("alert");
    for (const entry of missing) expect(alert.textContent).toContain(entry.label.en);
    expect(within(alert).getAllByRole("listitem")).toHaveLength(missing.length);
    expect(document.activeElement?.matches("[aria-invalid=true], [data-invalid]")).toBe(true);
    expect(sent()).toHaveLength(0);
  });

  test("in Russian no English sentence is left", () => {
    act(() => setLanguage("ru"));
    cleanup();
    show();
    fireEvent.click(generateButton());
    // Names that are the same everywhere: models, licences, file types, samplers, the keys of the keyboard.
    const names = [
      ...studioModels.flatMap((each) => [each.name, each.licence.name]),
      ...model.parameters.flatMap(({ options, option_labels }) => [
        ...(options ?? []).map(String),
        ...Object.values(option_labels ?? {}).map(({ ru }) => ru),
      ]),
      "Ctrl Enter",
      "Sketch",
      "embedded",
      "CLIP",
      "AniSora",
      "PNG",
      "JPEG",
      "WebP",
      "a red boat",
      "picture",
      "png",
    ];
    const spoken = [...document.querySelectorAll("[aria-label], [title], [placeholder]")].flatMap((element) =>
      ["aria-label", "title", "placeholder"].map((name) => element.getAttribute(name) ?? ""),
    );
    const shown = [document.querySelector("form")?.innerHTML.replaceAll(/<[^>]*>/g, " ") ?? "", ...spoken].join(" ");
    const left = names
      .toSorted((a, b) => b.length - a.length)
      .reduce((text, name) => text.replaceAll(name, " "), shown);
    expect(left.match(/[A-Za-z]{3,}/g) ?? []).toEqual([]);
  });
});

describe("keys", () => {
  test("Ctrl Enter generates from the prompt and from outside it; the slash leads to the prompt; both are listed", async () => {
    show();
    const prompt = screen.getByRole("textbox", { name: "Prompt" });
    fireEvent.keyDown(document.body, { key: "/" });
    expect(document.activeElement).toBe(prompt);
    await userEvent.type(prompt, "a red boat");
    fireEvent.keyDown(prompt, { key: "Enter", ctrlKey: true });
    await waitFor(() => expect(accepted).toHaveLength(1));
    fireEvent.keyDown(document.body, { key: "Enter", metaKey: true });
    await waitFor(() => expect(accepted).toHaveLength(2));
    const listed = shortcutsInForce().flatMap(({ shortcuts }) => Object.keys(shortcuts));
    expect(listed).toEqual(expect.arrayContaining(["mod+Enter", "/"]));
  });
});

describe("several results at one press", () => {
  const { model, mode } = plain;
  const seed = findParameter(model, ({ control }) => control === "seed");

  beforeEach(() => {
    fillIn(model, mode);
    show();
  });

  test("ask for neighbouring seeds, each with a key of its own", async () => {
    changeRecipe((recipe) => withValue(recipe, model, seed, 41));
    const user = userEvent.setup();
    await user.selectOptions(screen.getByRole("combobox", { name: "How many" }), "4");
    await user.click(generateButton());
    await waitFor(() => expect(sent().map((body) => body.seed)).toEqual([41, 42, 43, 44]));
    const keys = server.asked.map(({ headers }) => headers["idempotency-key"]).filter(Boolean);
    expect(new Set(keys).size).toBe(4);
    expect(accepted).toHaveLength(1);
  });

  test("draw one seed and go on from it where the seed is left to chance", async () => {
    act(() => changeRecipe((recipe) => ({ ...recipe, copies: 3 })));
    await act(async () => fireEvent.click(generateButton()));
    await waitFor(() => expect(sent()).toHaveLength(3));
    const [first, second, third] = sent().map((body) => Number(body.seed));
    expect(first).toBeGreaterThanOrEqual(0);
    expect([second, third]).toEqual([Number(first) + 1, Number(first) + 2]);
  });

  test("a full queue in between: says how many were taken, and the rest follows once, with the keys it had", async () => {
    const keys: unknown[] = [];
    answer = (asked) => {
      if (asked.path !== "/generate") return accept(asked);
      keys.push(asked.headers["idempotency-key"]);
      const full = refusal(503, "queue_full");
      return keys.length === 3 ? { ...full, headers: { "retry-after": "1" } } : accept(asked);
    };
    act(() => changeRecipe((recipe) => ({ ...recipe, copies: 4 })));
    fireEvent.click(generateButton());
    await screen.findByText(/2 of 4 were taken/);
    await waitFor(() => expect(keys).toHaveLength(5));
    expect(keys[3]).toBe(keys[2]);
    expect(new Set(keys).size).toBe(4);
  });

  test("an answer lost on the way: the next press asks with the same keys, and for nothing that was taken", async () => {
    let lost = true;
    const keys: unknown[] = [];
    answer = (asked) => {
      if (asked.path !== "/generate") return accept(asked);
      keys.push(asked.headers["idempotency-key"]);
      return keys.length === 2 && lost ? null : accept(asked);
    };
    act(() => changeRecipe((recipe) => ({ ...recipe, copies: 2 })));
    fireEvent.click(generateButton());
    await screen.findByText(/1 of 2 were taken/);
    lost = false;
    const before = keys.length;
    fireEvent.click(generateButton());
    await waitFor(() => expect(keys.length).toBe(before + 1));
    expect(keys.at(-1)).toBe(keys[1]);
    expect(new Set(keys).size).toBe(2);
  });
});

describe("what the server refuses is told at its field (FR-010)", () => {
  test("a nested picture, in the page's words and language", async () => {
    const { model, mode } = withKeyframes;
    const list = findParameter(model, ({ type }) => type === "keyframes");
    fillIn(model, mode);
    setLanguage("ru");
    show();
    const field = `${list.name}[1].image`;
    answer = (asked) =>
      asked.path === "/generate"
        ? refusal(422, "validation_failed", { errors: [{ field, code: "unknown_upload", message: "Gone." }] })
        : accept(asked);
    fireEvent.click(generateButton());
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("Ключевой кадр 2, Картинка");
    expect(alert.textContent).toContain("На сервере этой картинки больше нет");
    expect(alert.textContent).not.toContain("Gone.");
    await waitFor(() => expect(document.activeElement?.getAttribute("aria-label")).toBe("Ключевой кадр 2"));
  });

  test("goes away once the field is changed", async () => {
    const { model, mode } = plain;
    fillIn(model, mode);
    show();
    answer = (asked) =>
      asked.path === "/generate"
        ? refusal(422, "validation_failed", { errors: [{ field: "prompt", code: "blank", message: "Empty." }] })
        : accept(asked);
    fireEvent.click(generateButton());
    await screen.findByRole("alert");
    fireEvent.change(screen.getByLabelText("Prompt"), { target: { value: "a boat" } });
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

test("a number out of its range says so at once, and stops the press", async () => {
  const { model, mode } = plain;
  fillIn(model, mode);
  show();
  const width = screen.getByLabelText("Width");
  fireEvent.change(width, { target: { value: "513" } });
  expect(width.getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByText(/^Steps of 16 from 512 to 1280/)).toBeTruthy();
  fireEvent.click(generateButton());
  expect(document.activeElement).toBe(width);
  expect(sent()).toHaveLength(0);
});

test("characters are counted as the catalog counts them: an emoji is one", () => {
  const { model, mode } = plain;
  choose(model, mode);
  show();
  fireEvent.change(screen.getByLabelText("Prompt"), { target: { value: "🌊🌊🌊" } });
  expect(screen.getByText("3 / 2000")).toBeTruthy();
});

test("an option that this machine cannot honour is off, with the reason in the language in force", () => {
  const { model } = plain;
  const format = findParameter(model, ({ name, options }) => name === "output_format" && options !== undefined);
  const detail = "needs a program that is not here.";
  const limit = {
    code: "format_unavailable",
    parameter: format.name,
    options: [String(format.options?.at(-1))],
    detail,
  };
  setLanguage("ru");
  show([{ ...model, limits: [limit] }]);
  const radios = within(screen.getByRole("radiogroup", { name: format.label.ru })).getAllByRole("radio");
  expect(radios.map((radio) => (radio as HTMLInputElement).disabled)).toEqual([false, true]);
  expect(document.body.textContent).not.toContain(detail);
});

test("a model that cannot run stays in the list, says why, and cannot be chosen", () => {
  const [first, second, ...rest] = studioModels;
  if (first === undefined || second === undefined) throw new Error("fewer than two models");
  const reason = { code: "no_workers", detail: "Nobody offers it." };
  show([first, { ...second, available: false, unavailable_reason: reason }, ...rest]);
  const option = document.querySelectorAll<HTMLElement>("[role=option]")[1];
  expect(option?.getAttribute("aria-disabled")).toBe("true");
  expect(option?.hasAttribute("disabled")).toBe(false);
  expect(option?.textContent).toMatch(/Not available: .+/);
  if (option) fireEvent.click(option);
  expect(currentRecipe().model).toBeNull();
});

test("the recipe survives a reload and a switch of the language", () => {
  const { model, mode } = plain;
  fillIn(model, mode);
  show();
  fireEvent.change(screen.getByLabelText("Prompt"), { target: { value: "kept over a reload" } });
  cleanup();
  reloadRecipe();
  setLanguage("ru");
  show();
  expect(screen.getByLabelText("Описание")).toHaveProperty("value", "kept over a reload");
  expect(chosenMode(model, currentRecipe())).toBe(mode);
});

describe("the key frame track", () => {
  const { model, mode } = withKeyframes;
  const list = findParameter(model, ({ type }) => type === "keyframes");
  const place = list.fields?.find(({ distinct }) => distinct)?.name ?? "";
  const length = findParameter(model, ({ unit }) => unit === "frames");
  const placesNow = () =>
    keyframesIn(valueOf(currentRecipe(), model, list)).map(({ values }) => values[place] ?? Number.NaN);
  const thumb = (index: number) => screen.getByRole("slider", { name: `Key frame ${String(index)}` });

  beforeEach(() => {
    fillIn(model, mode);
    show();
  });

  test("moves by arrows, wide steps with Shift, to the ends, and never onto another one", () => {
    const last = Number(length.default) - 1;
    expect(placesNow()).toEqual([0, last]);
    fireEvent.keyDown(thumb(1), { key: "ArrowRight" });
    expect(placesNow()).toEqual([1, last]);
    fireEvent.keyDown(thumb(1), { key: "ArrowRight", shiftKey: true });
    expect(placesNow()).toEqual([17, last]);
    fireEvent.keyDown(thumb(1), { key: "End" });
    expect(placesNow()).toEqual([last - 1, last]);
    fireEvent.keyDown(thumb(2), { key: "Home" });
    expect(placesNow()).toEqual([last - 1, 0]);
    expect(thumb(2).getAttribute("aria-valuetext")).toBe("frame 0, 0 seconds");
  });

  test("the number below moves it without dragging", () => {
    fireEvent.focus(thumb(2));
    const box = screen.getByLabelText(/Key frame 2, Frame, number/);
    fireEvent.change(box, { target: { value: "33" } });
    fireEvent.blur(box);
    expect(placesNow()).toEqual([0, 33]);
  });

  test("Delete removes, and the focus stays on the track", async () => {
    thumb(2).focus();
    fireEvent.keyDown(thumb(2), { key: "Delete" });
    expect(placesNow()).toHaveLength(1);
    await waitFor(() => expect(document.activeElement).toBe(thumb(1)));
  });

  test("a shorter clip moves what stood behind its end; a longer one gives the place back", () => {
    const shortest = length.min ?? 0;
    const before = placesNow();
    act(() => changeRecipe((recipe) => withValue(recipe, model, length, shortest)));
    expect(placesNow()).toEqual([0, shortest - 1]);
    expect(screen.getByText(/The clip is shorter now/)).toBeTruthy();
    act(() => changeRecipe((recipe) => withValue(recipe, model, length, length.default as number)));
    expect(placesNow()).toEqual(before);
  });
});
