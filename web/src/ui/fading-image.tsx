import { useState } from "react";

interface FadingImageProps {
  src: string;
  className: string;
}

interface Layers {
  /** The last picture that was seen whole; it stays below the next one until that has come. */
  below: string | null;
  above: string;
  loaded: boolean;
}

/** A small live picture, each fading into the next. It fills what is around it, and says nothing to a screen reader. */
export function FadingImage({ src, className }: FadingImageProps) {
  const [layers, setLayers] = useState<Layers>({ below: null, above: src, loaded: false });
  if (layers.above !== src)
    setLayers({ below: layers.loaded ? layers.above : layers.below, above: src, loaded: false });
  return (
    <>
      {layers.below === null ? null : <img key={layers.below} src={layers.below} alt="" className={className} />}
      <img
        key={src}
        src={src}
        alt=""
        className={`${className} fading ${layers.loaded ? "" : "opacity-0"}`}
        onLoad={() => setLayers((current) => (current.above === src ? { ...current, loaded: true } : current))}
      />
    </>
  );
}
