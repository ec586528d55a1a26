import { type ComponentType, lazy, Suspense, useEffect } from "react";
import { isReading } from "../api/query-client.ts";
import { Ghost, GhostArea } from "../ui/ghost.tsx";
import { prepareTexts } from "../ui/language.ts";
import { restoreScroll } from "../ui/scroll-memory.ts";
import { CrashBoundary } from "./crash-boundary.tsx";
import { strings } from "./strings.ts";

/**
 * A page whose code is fetched when its address is opened. `preload` fetches it earlier, when somebody points at the way
 * there. Faults of one page, a piece of it that is not on the server any more included, leave the frame standing.
 */
export function lazyPage(load: () => Promise<ComponentType>) {
  const loadWithTexts = async () => {
    const content = await load();
    await prepareTexts();
    return content;
  };
  const Content = lazy(async () => ({ default: await loadWithTexts() }));
  function Page() {
    return (
      <CrashBoundary>
        <Suspense fallback={<PageOnItsWay />}>
          <Content />
          <Arrival />
        </Suspense>
      </CrashBoundary>
    );
  }
  // A failed preload is no news yet: opening the page will tell.
  return { Page, preload: () => loadWithTexts().then(nothing, nothing) };
}

let isFirstPage = true;

/**
 * Hands the focus to the heading of a page that was opened from another one, as loading a document would: it stands
 * beside the page's content, so its effect runs when that content is there.
 */
function Arrival() {
  useEffect(() => {
    restoreScroll(isReading);
    if (!isFirstPage) focusHeading();
    isFirstPage = false;
  }, []);
  return null;
}

function focusHeading(): void {
  const target = document.querySelector<HTMLElement>("#main h1") ?? document.getElementById("main");
  if (target === null) return;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

function PageOnItsWay() {
  return (
    <main id="main" className="min-h-0 flex-1 p-4">
      <GhostArea label={strings.loading} className="grid gap-3">
        <Ghost className="h-7 w-48" />
        <Ghost className="h-64" />
      </GhostArea>
    </main>
  );
}

function nothing(): void {}
