// A clip shows what it was given wherever the model changes nothing. The autoencoder gets one pixel in twelve wrong, so a picture that
// is drawn again as a whole flickers where nothing moves.

import type { PixelPicture } from "../picture/palette.ts";

/** A still of a clip. */
export interface Still {
  /** As the model draws it when it is told to change nothing. */
  readonly rendered: PixelPicture;
  /** As it is to be seen. */
  readonly given: PixelPicture;
}

/**
 * The drawing, with the given pixel wherever it has the colour in which the model renders the same pixel of a still. Where several stills
 * agree with it, the first one counts.
 */
export function keepGiven(drawing: PixelPicture, stills: readonly Still[]): PixelPicture {
  const pixels = drawing.pixels.map((colour, pixel) => {
    const still = stills.find(({ rendered }) => rendered.pixels[pixel] === colour);
    return still?.given.pixels[pixel] ?? colour;
  });
  return { ...drawing, pixels };
}
