import { type ComponentType, lazy, type ReactNode, Suspense } from "react";
import { prepareTexts } from "./language.ts";

/**
 * A part of a page that is not needed for its first picture: fetched once the browser has nothing better to do, or when it
 * is drawn before that. In its place stands `waiting` until then.
 */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  waiting: ReactNode = null,
): ComponentType<Props> {
  let loaded: Promise<{ default: ComponentType<Props> }> | undefined;
  const once = () => {
    loaded ??= loadWithTexts(load).then((component) => ({ default: component }));
    return loaded;
  };
  const Part = lazy(once) as unknown as ComponentType<Props>;
  if (typeof window !== "undefined") whenIdle(() => void once().catch(() => {}));
  return function Later(props: Props) {
    return (
      <Suspense fallback={waiting}>
        <Part {...props} />
      </Suspense>
    );
  };
}

/** In another language a part's words come with it; where they do not, it speaks English. */
async function loadWithTexts<Part>(load: () => Promise<Part>): Promise<Part> {
  const part = await load();
  await prepareTexts().catch(() => {});
  return part;
}

/** Safari has no word for it; there a moment after loading will do. */
function whenIdle(run: () => void): void {
  if ("requestIdleCallback" in window) window.requestIdleCallback(run, { timeout: 4_000 });
  else setTimeout(run, 1_500);
}
