import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useMoving } from "./use-moving.ts";
import { type Point, useZoomGestures } from "./use-zoom-gestures.ts";
import { fitZoom, limitZoom, type Size, scrollFor, steppedZoom, toggledZoom, type Zoom } from "./zoom.ts";

export interface ZoomControl {
  zoom: Zoom;
  /** Width of the picture in CSS pixels while it does not just fit; null while it does. */
  width: number | null;
  /** Screen pixels per picture pixel in percent; null until it was measured. */
  percent: number | null;
  fit: () => void;
  actual: (at?: Point) => void;
  closer: () => void;
  farther: () => void;
}

/** Which place of the picture has to stay under which place of the window over a change of size. */
interface Anchor {
  fraction: { x: number; y: number };
  at: { x: number; y: number };
}

/** Looking closer at a picture of `size` pixels: the only child of the scrolling element. */
export function useZoom(easel: RefObject<HTMLDivElement | null>, size: Size): ZoomControl {
  const anchor = useRef<Anchor | null>(null);
  const [zoom, setZoom] = useState<Zoom>("fit");
  const pixelRatio = usePixelRatio();
  const { width: pictureWidth, height: pictureHeight } = size;
  const fit = useFit(easel, pictureWidth, pictureHeight, pixelRatio);
  const width = zoom === "fit" ? null : (pictureWidth * zoom) / pixelRatio;

  const change = useCallback(
    (next: (current: Zoom, fit: number) => Zoom, at?: Point) => {
      if (fit === null) return;
      anchor.current = anchorIn(easel, at);
      setZoom((current) => next(current, fit));
    },
    [easel, fit],
  );
  useLayoutEffect(() => {
    if (easel.current !== null && anchor.current !== null && width !== null) scrollTo(easel.current, anchor.current);
    anchor.current = null;
  }, [easel, width]);
  const scale = useCallback(
    (factor: number, at: Point) =>
      change((current, fitting) => limitZoom((current === "fit" ? fitting : current) * factor, fitting), at),
    [change],
  );
  const toggle = useCallback((at: Point) => change(toggledZoom, at), [change]);
  useZoomGestures(easel, { scale, toggle });
  useMoving(easel, zoom !== "fit");
  const shown = zoom === "fit" ? fit : zoom;
  return useMemo(
    () => ({
      zoom,
      width,
      percent: shown === null ? null : Math.round(shown * 100),
      fit: () => setZoom("fit"),
      actual: (at) => change((_, fitting) => limitZoom(1, fitting), at),
      closer: () => change((current, fitting) => steppedZoom(current, 1, fitting)),
      farther: () => change((current, fitting) => steppedZoom(current, -1, fitting)),
    }),
    [zoom, width, shown, change],
  );
}

/** The zoom at which the picture fits now; follows the size of the easel. */
function useFit(
  easel: RefObject<HTMLDivElement | null>,
  width: number,
  height: number,
  pixelRatio: number,
): number | null {
  const [fit, setFit] = useState<number | null>(null);
  useLayoutEffect(() => {
    const element = easel.current;
    if (element === null) return;
    const measure = () => setFit(fitZoom(innerBox(element), { width, height }, pixelRatio));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [easel, width, height, pixelRatio]);
  return fit;
}

/** Screen pixels per CSS pixel; changes when the window moves to another screen or the page is zoomed. */
function usePixelRatio(): number {
  const [ratio, setRatio] = useState(() => window.devicePixelRatio || 1);
  useEffect(() => {
    const query = window.matchMedia(`(resolution: ${ratio}dppx)`);
    const read = () => setRatio(window.devicePixelRatio || 1);
    query.addEventListener("change", read);
    return () => query.removeEventListener("change", read);
  }, [ratio]);
  return ratio;
}

function paddingOf(element: HTMLElement): { left: number; top: number; across: number; down: number } {
  const style = getComputedStyle(element);
  const pixels = (value: string) => Number.parseFloat(value) || 0;
  const left = pixels(style.paddingLeft);
  const top = pixels(style.paddingTop);
  return { left, top, across: left + pixels(style.paddingRight), down: top + pixels(style.paddingBottom) };
}

function innerBox(element: HTMLElement): Size {
  const { across, down } = paddingOf(element);
  return { width: Math.max(1, element.clientWidth - across), height: Math.max(1, element.clientHeight - down) };
}

/** Without a place, the middle of the easel stays where it is. */
function anchorIn({ current: element }: RefObject<HTMLElement | null>, at?: Point): Anchor | null {
  const picture = element?.firstElementChild?.getBoundingClientRect();
  if (!element || picture === undefined || picture.width === 0 || picture.height === 0) return null;
  const box = element.getBoundingClientRect();
  const x = at?.clientX ?? box.left + box.width / 2;
  const y = at?.clientY ?? box.top + box.height / 2;
  const share = (value: number) => Math.min(1, Math.max(0, value));
  return {
    fraction: { x: share((x - picture.left) / picture.width), y: share((y - picture.top) / picture.height) },
    at: { x: x - box.left, y: y - box.top },
  };
}

function scrollTo(element: HTMLElement, { fraction, at }: Anchor): void {
  const picture = element.firstElementChild?.getBoundingClientRect();
  if (picture === undefined) return;
  const box = innerBox(element);
  const padding = paddingOf(element);
  element.scrollLeft = scrollFor({
    box: box.width,
    size: picture.width,
    padding: padding.left,
    fraction: fraction.x,
    at: at.x,
  });
  element.scrollTop = scrollFor({
    box: box.height,
    size: picture.height,
    padding: padding.top,
    fraction: fraction.y,
    at: at.y,
  });
}
