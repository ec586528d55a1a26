// Why a picture or clip does not load. The element that shows it cannot tell; a request within a session can.
import { askForMedia, type MediaState } from "../ui/viewer/media-access.ts";
import { observedFetch } from "./connection.ts";
import { openSession, renewSession, sessionInUse } from "./session.ts";

/** Asks about an address; where the session had ended, opens one and asks again. Never rejects. */
export async function checkMedia(url: string): Promise<MediaState> {
  try {
    await openSession();
    const used = sessionInUse();
    const state = await askForMedia(url, observedFetch);
    if (state !== "refused") return state;
    await renewSession(used);
    return await askForMedia(url, observedFetch);
  } catch {
    return "unreachable";
  }
}
