// An element that shows media tells only that it failed. Why, only a request of its own can say.
import { createContext, useContext } from "react";

/** What became of the bytes behind an address. */
export type MediaState = "there" | "gone" | "refused" | "unreachable";

/** Asks the server about an address, renewing the session where that is what was missing. Never rejects. */
export type MediaCheck = (url: string) => Promise<MediaState>;

const gone: readonly number[] = [404, 410];
const refused: readonly number[] = [401, 403];

/** The plain question, without a session to renew. */
export async function askForMedia(url: string, fetch = globalThis.fetch): Promise<MediaState> {
  try {
    const response = await fetch(url, { method: "HEAD", credentials: "same-origin" });
    if (gone.includes(response.status)) return "gone";
    if (refused.includes(response.status)) return "refused";
    return response.status >= 500 ? "unreachable" : "there";
  } catch {
    return "unreachable";
  }
}

export const MediaCheckContext = createContext<MediaCheck>(askForMedia);

export function useMediaCheck(): MediaCheck {
  return useContext(MediaCheckContext);
}
