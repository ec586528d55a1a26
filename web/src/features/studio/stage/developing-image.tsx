import { useState } from "react";

interface DevelopingImageProps {
  src: string;
  alt: string;
  className: string;
}

interface Layers {
  /** The last preview that was seen whole; it stays under the next one until that has come. */
  base: string | null;
  top: string;
  loaded: boolean;
}

/** A preview that fades into the next one, like a print in the tray. */
export function DevelopingImage({ src, alt, className }: DevelopingImageProps) {
  const [layers, setLayers] = useState<Layers>({ base: null, top: src, loaded: false });
  if (layers.top !== src) setLayers({ base: layers.loaded ? layers.top : layers.base, top: src, loaded: false });
  return (
    <>
      {layers.base === null ? null : <img key={layers.base} src={layers.base} alt="" className={className} />}
      <img
        key={src}
        src={src}
        alt={alt}
        className={`${className} ${layers.loaded ? "developing" : "viewer-unseen"}`}
        onLoad={() => setLayers((current) => (current.top === src ? { ...current, loaded: true } : current))}
      />
    </>
  );
}
