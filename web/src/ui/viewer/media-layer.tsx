import { useEffect, useRef, useState } from "react";
import { strings } from "./strings.ts";
import type { MediaSource } from "./use-media-source.ts";

/** What the viewer shows. Sizes in pixels of the file. */
export interface ViewerMedia {
  kind: "image" | "video";
  url: string;
  /** A still that stands in until the media has come: a thumbnail, the first frame, the last preview. */
  poster?: string | null | undefined;
  width: number;
  height: number;
  /** Frames a second and in all, for a clip; without them it is moved by seconds alone. */
  fps?: number | null | undefined;
  frames?: number | null | undefined;
  /** Enlarged pixel by pixel: only for what the sketch engine made. */
  pixelated: boolean;
  alt: string;
  /** Changes when other bytes stand at the same address. */
  version: string | number;
}

interface MediaLayerProps {
  media: ViewerMedia;
  source: MediaSource;
  onVideo: (element: HTMLVideoElement | null) => void;
}

/** The picture or clip itself, over the still that stands in for it until it has come. */
export function MediaLayer({ media, source, onVideo }: MediaLayerProps) {
  const ready = source.phase === "ready";
  const rendering = media.pixelated ? "pixelated" : "";
  const [poster, setPoster] = useState(media.poster ?? null);
  const fading = poster === null ? "" : "developing";
  return (
    <>
      {/* Stays beneath while the media fades in over it, like a print in the tray. */}
      {poster === null ? null : (
        <img src={poster} alt="" className={`viewer-media ${rendering}`} onError={() => setPoster(null)} />
      )}
      {media.kind === "video" ? (
        <Clip media={media} source={source} className={`viewer-media ${rendering}`} onVideo={onVideo} />
      ) : (
        <img
          key={source.attempt}
          src={media.url}
          alt={media.alt}
          className={`viewer-media ${rendering} ${ready ? fading : "viewer-unseen"}`}
          draggable={false}
          onLoad={source.onReady}
          onError={source.onError}
        />
      )}
      {ready ? null : <output className="visually-hidden">{strings.buffering}</output>}
    </>
  );
}

interface ClipProps extends MediaLayerProps {
  className: string;
}

/** Plays in a loop at once, unless the system asks for less motion: then it waits at its first frame. */
function Clip({ media, source, className, onVideo }: ClipProps) {
  const [calm] = useState(() => window.matchMedia("(prefers-reduced-motion: reduce)").matches);
  const element = useRef<HTMLVideoElement>(null);
  const { attempt, onReady, onError } = source;
  useEffect(() => {
    const video = element.current;
    // A clip out of the browser's cache loads before the element is on the page, where nobody hears its events yet.
    if (video?.error) onError();
    else if (video && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) onReady();
    onVideo(video);
    return () => onVideo(null);
  }, [attempt, onReady, onError, onVideo]);
  return (
    // Clips have no spoken words to caption; where one has sound, the player has a volume.
    <video
      key={attempt}
      ref={element}
      src={media.url}
      className={`${className} ${source.phase === "ready" ? "" : "viewer-unseen"}`}
      aria-label={media.alt}
      autoPlay={!calm}
      loop
      muted
      playsInline
      preload="auto"
      onLoadedData={onReady}
      onError={onError}
    />
  );
}
