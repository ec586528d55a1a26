// The address of the page as state: which page it names and what it says about it. Calls are shaped like those of the
// larger routers (docs/decisions says why there is none).
import { type ComponentPropsWithRef, type MouseEvent, useSyncExternalStore } from "react";
import { entryKey, rememberScroll, restoreScroll, scrollKey } from "./scroll-memory.ts";
import { parseSearchText, searchText } from "./search-text.ts";

/** What each page's address may say: filled in where the pages are listed. */
// biome-ignore lint: an interface, so that the list of pages can add to it
export interface PageSearches {}

export type PagePath = keyof PageSearches;

/** What any page's address may say, for parts that stand on more than one. */
type AnySearch = {
  [Name in PageSearches[PagePath] extends infer Search ? (Search extends object ? keyof Search : never) : never]?:
    | (PageSearches[PagePath] extends infer Search
        ? Search extends { [Key in Name]?: infer Value }
          ? Value
          : never
        : never)
    | undefined;
};

export interface Destination<Path extends PagePath> {
  to: Path;
  /** All that the address shall say, or how to change what it says; nothing when left out. */
  search?: PageSearches[Path] | ((before: PageSearches[Path]) => PageSearches[Path]);
  /** Takes the place of the current entry of the history, as filters do that change with every key press. */
  replace?: boolean;
  /** A new page opens at its top; a change of what the same page says leaves the scroll alone, whatever stands here. */
  resetScroll?: boolean;
}

interface Place {
  path: string;
  search: object;
}

type Parsers = Readonly<Record<string, { parse: (search: Record<string, unknown>) => object; preload: () => unknown }>>;

let pages: Parsers = {};
let place: Place = { path: "/", search: {} };
const listeners = new Set<() => void>();

/** Says which pages there are; once, before the first of them is drawn. */
export function openRouter(known: Parsers): void {
  pages = known;
  place = readPlace();
  window.addEventListener("popstate", () => {
    arrive();
    restoreScroll();
  });
  window.addEventListener("pagehide", rememberScroll);
  window.history.scrollRestoration = "manual";
}

/** The path of the address, one of the pages' or any other. */
export function usePath(): string {
  return useSyncExternalStore(subscribe, () => place.path);
}

interface Selecting<Search, Selected> {
  select?: (search: Search) => Selected;
}

/** What the address says, read as its page reads it; `strict: false` on a part that stands on several pages. `select` gives a plain value or a part of it. */
export function useSearch<Path extends PagePath, Selected = PageSearches[Path]>(
  options: { from: Path } & Selecting<PageSearches[Path], Selected>,
): Selected;
export function useSearch<Selected = AnySearch>(options: { strict: false } & Selecting<AnySearch, Selected>): Selected;
export function useSearch({ select }: { select?: (search: never) => unknown }): unknown {
  return useSyncExternalStore(subscribe, () => (select ? select(place.search as never) : place.search));
}

/** Names the entry of the browser's history that is open: a page left and come back to has the same one again. */
export function useEntry(): string {
  return useSyncExternalStore(subscribe, entryKey);
}

/** Goes to a page, or says something else about the one that is open. The same function at every drawing. */
export function useNavigate(): typeof navigate {
  return navigate;
}

export async function navigate<Path extends PagePath>(destination: Destination<Path>): Promise<void> {
  const before = place.path;
  const href = hrefOf(destination);
  rememberScroll();
  if (destination.replace || href === window.location.pathname + window.location.search) {
    window.history.replaceState(window.history.state, "", href);
  } else {
    window.history.pushState({ [scrollKey]: newKey() }, "", href);
  }
  arrive();
  if (place.path !== before) window.scrollTo(0, 0);
}

/** Goes back by one entry, as the browser's own button. */
export function goBack(): void {
  window.history.back();
}

/** Goes to an address of this page given as text, "/?task=…". */
export function goTo(href: string): void {
  const { pathname, search } = new URL(href, window.location.href);
  void navigate({ to: pathname as PagePath, search: parseSearchText(search) as PageSearches[PagePath] });
}

/** The address of a destination, as a link has it. */
export function hrefOf<Path extends PagePath>({ to, search }: Destination<Path>): string {
  const before = (place.path === to ? place.search : pages[to]?.parse({})) as PageSearches[Path];
  return `${to}${searchText(typeof search === "function" ? search(before) : (search ?? {}))}`;
}

type LinkProps<Path extends PagePath> = Destination<Path> & Omit<ComponentPropsWithRef<"a">, "href">;

/** A link to a page. What is not a plain press, a new tab for instance, is left to the browser. */
export function Link<Path extends PagePath>({ to, search, replace, onClick, children, ...rest }: LinkProps<Path>) {
  const destination = {
    to,
    ...(search === undefined ? {} : { search }),
    ...(replace === undefined ? {} : { replace }),
  };
  const go = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !isPlain) return;
    event.preventDefault();
    void navigate(destination);
  };
  const prepare = () => void pages[to]?.preload();
  return (
    <a {...rest} href={hrefOf(destination)} onClick={go} onPointerEnter={prepare} onFocus={prepare}>
      {children}
    </a>
  );
}

/** Names an entry of the history. Only secure contexts have `crypto.randomUUID`; a page on a plain local address is none. */
function newKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

function arrive(): void {
  place = readPlace();
  for (const listener of listeners) listener();
}

function readPlace(): Place {
  const { pathname, search } = window.location;
  const said = parseSearchText(search);
  return { path: pathname, search: pages[pathname]?.parse(said) ?? said };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
