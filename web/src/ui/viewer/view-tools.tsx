import { Contrast, Maximize2, Minimize2, Scan, SquareSplitHorizontal } from "lucide-react";
import type { ReactNode } from "react";
import { strings } from "./strings.ts";
import { isDark, surroundInForce, turnSurround, useSurround } from "./surround.ts";
import type { FullScreen } from "./use-full-screen.ts";
import type { ZoomControl } from "./use-zoom.ts";

interface ViewToolsProps {
  zoom: ZoomControl;
  /** Null where the player has the button already. */
  fullScreen: FullScreen | null;
  /** Null where there is nothing to compare with. */
  compare: { on: boolean; toggle: () => void } | null;
}

/** How the picture is looked at: over the picture at the right, and none of it lies on the picture. */
export function ViewTools({ zoom, fullScreen, compare }: ViewToolsProps) {
  const surround = surroundInForce(useSurround(), isDark());
  return (
    <fieldset className="viewer-tools" aria-label={strings.view}>
      <ZoomFigure zoom={zoom} />
      {compare === null ? null : (
        <Tool label={strings.compare} keys="Y" pressed={compare.on} onPress={compare.toggle}>
          <SquareSplitHorizontal className="icon" aria-hidden="true" />
        </Tool>
      )}
      <Tool label={strings.fit} keys="Z" pressed={zoom.zoom === "fit"} onPress={zoom.fit}>
        <Scan className="icon" aria-hidden="true" />
      </Tool>
      <Tool label={strings.actual} keys="1" pressed={zoom.zoom === 1} onPress={() => zoom.actual()}>
        <span className="viewer-actual" aria-hidden="true">
          {strings.actualShort}
        </span>
      </Tool>
      <Tool label={strings.surroundIs[surround]} keys="B" onPress={turnSurround}>
        <Contrast className="icon" aria-hidden="true" />
      </Tool>
      {fullScreen?.possible ? (
        <Tool
          label={fullScreen.active ? strings.leaveFullScreen : strings.fullScreen}
          keys="F"
          onPress={fullScreen.toggle}
        >
          {fullScreen.active ? (
            <Minimize2 className="icon" aria-hidden="true" />
          ) : (
            <Maximize2 className="icon" aria-hidden="true" />
          )}
        </Tool>
      ) : null}
    </fieldset>
  );
}

/** Between the two zooms that have a button, the figure says how close the look is. */
function ZoomFigure({ zoom }: { zoom: ZoomControl }) {
  const named = zoom.zoom === "fit" || zoom.zoom === 1;
  return (
    <output className={named ? "visually-hidden" : "viewer-zoom num"}>
      {named || zoom.percent === null ? "" : strings.percent(zoom.percent)}
    </output>
  );
}

interface ToolProps {
  label: string;
  keys: string;
  pressed?: boolean;
  onPress: () => void;
  children: ReactNode;
}

function Tool({ label, keys, pressed, onPress, children }: ToolProps) {
  return (
    <button
      type="button"
      className="icon-btn icon-btn-small"
      aria-label={label}
      title={`${label} (${keys})`}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      onClick={onPress}
    >
      {children}
    </button>
  );
}
