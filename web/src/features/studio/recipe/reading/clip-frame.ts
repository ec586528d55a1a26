// One frame of a clip as a picture, taken by the browser's own player.
import { UnreadableClip } from "./unreadable-clip.ts";

/** The last frame is not at the very end: there, some browsers show nothing. In seconds. */
const beforeEnd = 0.01;
/** How long the browser may take to show a frame, in milliseconds. */
const patience = 20_000;

/** The first or the last frame of the clip at this address, as a PNG in the clip's own size. */
export async function frameOfClip(address: string, which: "start" | "end"): Promise<Blob> {
  const video = document.createElement("video");
  video.muted = true;
  video.preload = "auto";
  try {
    const loaded = event(video, "loadeddata");
    video.src = address;
    await loaded;
    if (which === "end") {
      const arrived = event(video, "seeked");
      video.currentTime = Math.max(0, video.duration - beforeEnd);
      await arrived;
    }
    return await drawn(video);
  } finally {
    video.removeAttribute("src");
    video.load();
  }
}

function event(video: HTMLVideoElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(patience);
    const fail = () => reject(new UnreadableClip());
    video.addEventListener(name, () => resolve(), { once: true });
    video.addEventListener("error", fail, { once: true });
    signal.addEventListener("abort", fail, { once: true });
  });
}

async function drawn(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const picture = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (picture === null) throw new UnreadableClip();
  return picture;
}
