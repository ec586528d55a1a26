import "./viewer.css";
import { type CSSProperties, type ReactNode, type RefObject, useRef } from "react";
import { useShortcuts } from "../shortcuts.ts";
import { strings } from "./strings.ts";
import { turnSurround, useSurround } from "./surround.ts";
import { type FullScreen, useFullScreen } from "./use-full-screen.ts";
import { useZoom, type ZoomControl } from "./use-zoom.ts";
import { ViewTools } from "./view-tools.tsx";
import type { Size } from "./zoom.ts";

interface ViewerFrameProps {
  size: Size;
  /** Stands at the left above the picture: its title, a way back. */
  toolbar?: ReactNode;
  compare?: { on: boolean; toggle: () => void } | null;
  /** Controls of a clip under the picture; they hold the button for the full screen too. */
  player?: ((fullScreen: FullScreen) => ReactNode) | null;
  /** What stands under the picture and its controls. */
  under?: ReactNode;
  /** What is shown instead of a picture. */
  instead?: ReactNode;
  children: ReactNode;
}

/** A picture in its surround, with the means to look at it: whatever is put in fills the frame of `size`. */
export function ViewerFrame({
  size,
  toolbar,
  compare = null,
  player = null,
  under,
  instead,
  children,
}: ViewerFrameProps) {
  const frame = useRef<HTMLDivElement>(null);
  const fullScreen = useFullScreen(frame);
  const easel = useRef<HTMLDivElement>(null);
  const zoom = useZoom(easel, size);
  useViewKeys(zoom, fullScreen, compare);
  return (
    <div ref={frame} className="viewer">
      <div className="viewer-head">
        <div className="viewer-lead">{toolbar}</div>
        <ViewTools zoom={zoom} fullScreen={player === null ? fullScreen : null} compare={compare} />
      </div>
      {instead ? (
        <div className="viewer-instead">{instead}</div>
      ) : (
        <Easel easel={easel} size={size} zoom={zoom}>
          {children}
        </Easel>
      )}
      {player?.(fullScreen)}
      {under}
    </div>
  );
}

interface EaselProps {
  easel: RefObject<HTMLDivElement | null>;
  size: Size;
  zoom: ZoomControl;
  children: ReactNode;
}

function Easel({ easel, size, zoom, children }: EaselProps) {
  const surround = useSurround();
  const { width, percent } = zoom;
  const ratio = size.width > 0 && size.height > 0 ? size.width / size.height : 1;
  return (
    <section
      ref={easel}
      className="viewer-easel"
      aria-label={percent === null ? strings.easel : strings.easelAt(strings.percent(percent))}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls has to be reached by keys
      tabIndex={width === null ? -1 : 0}
      data-surround={surround ?? undefined}
      data-close={width === null ? undefined : ""}
      style={{ "--ratio": ratio } as CSSProperties}
    >
      <figure className="viewer-picture" style={width === null ? undefined : { width: `${width}px` }}>
        {children}
      </figure>
    </section>
  );
}

function useViewKeys(zoom: ZoomControl, fullScreen: FullScreen, compare: ViewerFrameProps["compare"]): void {
  useShortcuts(strings.view, {
    z: { label: strings.fit, run: zoom.fit },
    "1": { label: strings.actual, run: () => zoom.actual() },
    "+": { label: strings.zoomIn, run: zoom.closer },
    "-": { label: strings.zoomOut, run: zoom.farther },
    b: { label: strings.surround, run: turnSurround },
    ...(compare ? { y: { label: strings.compare, run: compare.toggle } } : {}),
    ...(fullScreen.possible ? { f: { label: strings.fullScreen, run: fullScreen.toggle } } : {}),
  });
}
