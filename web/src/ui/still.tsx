import { type ComponentProps, useState } from "react";
import { useMediaCheck } from "./viewer/media-access.ts";

interface StillProps extends Omit<ComponentProps<"img">, "src" | "onError"> {
  src: string;
  alt: string;
  /** It could not be shown, although the server was asked and the session renewed. */
  onBroken?: () => void;
}

/** A small picture of a list. One that failed as the session had ended is asked for once more, within a new one. */
export function Still({ src, alt, onBroken, ...rest }: StillProps) {
  const check = useMediaCheck();
  const [retried, setRetried] = useState<string | null>(null);
  const explain = async () => {
    if (retried !== src && (await check(src)) === "there") setRetried(src);
    else onBroken?.();
  };
  return <img {...rest} key={retried} src={src} alt={alt} onError={() => void explain()} />;
}
