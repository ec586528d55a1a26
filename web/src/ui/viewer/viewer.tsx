import { type ReactNode, useState } from "react";
import { Compare } from "./compare.tsx";
import { rateOf } from "./frames.ts";
import { MediaLayer, type ViewerMedia } from "./media-layer.tsx";
import { MediaProblem } from "./media-problem.tsx";
import { Player } from "./player.tsx";
import { useMediaSource } from "./use-media-source.ts";
import { ViewerFrame } from "./viewer-frame.tsx";

export type { ViewerMedia } from "./media-layer.tsx";

interface ViewerProps {
  media: ViewerMedia;
  /** Stands at the left above the picture: its title, a way back. */
  toolbar?: ReactNode;
  /** What the result was made from; it is cropped from the middle to the result's shape, as the engines do. */
  compareWith?: { url: string } | null | undefined;
  /** Called when the server says that the file is gone; the viewer then says so too. */
  onMissing?: (() => void) | undefined;
  /** Under the picture and its player: actions, notes. */
  children?: ReactNode;
}

/**
 * A finished picture or clip: zoom, surround, full screen, player, before and after. It fills its place in a column; the
 * picture takes the height that the rest leaves. News that does not change address and version touches nothing.
 */
export function Viewer(props: ViewerProps) {
  const { url, version } = props.media;
  return <OneMedium key={`${url} ${version}`} {...props} />;
}

/** The choice of the last one holds for the next of its kind. Half of a clip is not covered by a still unless that is asked for. */
const comparing: Record<ViewerMedia["kind"], boolean> = { image: true, video: false };

function OneMedium({ media, toolbar, compareWith, onMissing, children }: ViewerProps) {
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  const [compares, setCompares] = useState(comparing[media.kind]);
  const [beforeGone, setBeforeGone] = useState(false);
  const source = useMediaSource(media.url, onMissing);
  const before = compareWith && !beforeGone ? compareWith.url : null;
  const broken = source.phase === "loading" || source.phase === "ready" ? null : source.phase;
  const toggleCompare = () => {
    comparing[media.kind] = !compares;
    setCompares(!compares);
  };
  return (
    <ViewerFrame
      size={media}
      toolbar={toolbar}
      compare={before === null ? null : { on: compares, toggle: toggleCompare }}
      instead={broken === null ? null : <MediaProblem problem={broken} onRetry={source.retry} />}
      player={
        media.kind === "video" && broken === null
          ? (fullScreen) => (
              <div className="viewer-under">
                <Player video={video} rate={rateOf(media.fps, media.frames)} fullScreen={fullScreen} />
              </div>
            )
          : null
      }
      under={children}
    >
      <Compare
        before={compares && source.phase === "ready" ? before : null}
        pixelated={media.pixelated}
        onMissing={() => setBeforeGone(true)}
      >
        <MediaLayer media={media} source={source} onVideo={setVideo} />
      </Compare>
    </ViewerFrame>
  );
}
