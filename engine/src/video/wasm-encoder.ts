// H.264 without any program on the machine: a baseline encoder compiled to WebAssembly. Its mp4 has the index at the end
// and untagged colours; remux.ts sets both right.

import { setImmediate as nextTurn } from "node:timers/promises";
import encoderModule from "h264-mp4-encoder";
import type { Film, OnFrame } from "./film.ts";

/** Constant quality; edges of pixel blocks stay clean at 20, and flat blocks cost little. */
const QUANTISER = 20;
/** 0 is slowest; at 10 pixel pictures keep their quality, since most blocks are flat or copied. */
const SPEED = 10;
/** Seeking lands on a complete picture at least this often. */
const SECONDS_BETWEEN_COMPLETE_PICTURES = 2;

export async function encodeWithWasm(film: Film, onFrame: OnFrame): Promise<Uint8Array> {
  const encoder = await encoderModule.createH264MP4Encoder();
  try {
    encoder.width = film.width;
    encoder.height = film.height;
    encoder.frameRate = film.fps;
    encoder.speed = SPEED;
    encoder.quantizationParameter = QUANTISER;
    encoder.groupOfPictures = film.fps * SECONDS_BETWEEN_COMPLETE_PICTURES;
    encoder.initialize();
    for (const [frame, picture] of film.order.entries()) {
      encoder.addFrameYuv(film.picture(picture));
      onFrame(frame + 1);
      // Lets the process hear that its parent has gone.
      await nextTurn();
    }
    encoder.finalize();
    return encoder.FS.readFile(encoder.outputFilename);
  } finally {
    encoder.delete();
  }
}
