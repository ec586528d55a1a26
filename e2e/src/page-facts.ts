// What a page says about itself, read inside the browser. Only the few properties needed are typed: the types of the
// whole DOM stay out of a program that otherwise runs in Node.
import type { Locator, Page } from "playwright-core";

/** How many pixels the page could be scrolled sideways. */
export function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** Brightness of the page's background, 0 (black) to 255. */
export function backgroundBrightness(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const context = document.createElement("canvas").getContext("2d");
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    context.fillRect(0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data[0];
  })()`);
}

/** The theme set by hand; "system" when none is. */
export function chosenTheme(page: Page): Promise<string> {
  return page.evaluate<string>(`document.documentElement.dataset.theme ?? "system"`);
}

export interface ImageFacts {
  /** Pixels of the file; 0 while it has not loaded. */
  width: number;
  rendering: string;
}

interface Styled {
  ownerDocument: {
    activeElement: unknown;
    defaultView: { getComputedStyle(element: unknown): { imageRendering: string } };
  };
}

export function imageFacts(image: Locator): Promise<ImageFacts> {
  return image.evaluate((it: Styled & { naturalWidth: number }) => ({
    width: it.naturalWidth,
    rendering: it.ownerDocument.defaultView.getComputedStyle(it).imageRendering,
  }));
}

export interface ClipFacts {
  /** Seconds. */
  at: number;
  length: number;
  width: number;
  /** MediaError code; null when all is well. */
  error: number | null;
}

interface Clip {
  currentTime: number;
  duration: number;
  videoWidth: number;
  error: { code: number } | null;
}

export function clipFacts(clip: Locator): Promise<ClipFacts> {
  return clip.evaluate((it: Clip) => ({
    at: it.currentTime,
    length: it.duration,
    width: it.videoWidth,
    error: it.error?.code ?? null,
  }));
}

interface PlayedClip {
  currentTime: number;
  requestVideoFrameCallback(tell: (now: number, frame: { mediaTime: number }) => void): void;
}

/** Seeks and answers the time of the frame that is shown then, in seconds: the clock alone moves even where no frame does. */
export function shownAfterSeek(clip: Locator, seconds: number): Promise<number> {
  return clip.evaluate(
    (it: PlayedClip, goal) =>
      new Promise<number>((resolve) => {
        let shown = -1;
        const watch = (_now: number, { mediaTime }: { mediaTime: number }) => {
          shown = mediaTime;
          if (Math.abs(shown - goal) < 0.1) resolve(shown);
          else it.requestVideoFrameCallback(watch);
        };
        it.requestVideoFrameCallback(watch);
        it.currentTime = goal;
        setTimeout(() => resolve(shown), 30_000);
      }),
    seconds,
  );
}

export function hasFocus(element: Locator): Promise<boolean> {
  return element.evaluate((it: Styled) => it === it.ownerDocument.activeElement);
}
