// The model picks each pixel from a palette, so a picture is kept as palette numbers: exact, small, and quick to scale
// and to pack.

import { readFileSync } from "node:fs";
import path from "node:path";
import type { Grid } from "../sampler/latent.ts";

/** A picture in the model's own pixels, one palette number per pixel, row by row. */
export interface PixelPicture extends Grid {
  readonly pixels: Uint8Array;
}

export interface Palette {
  /** Red, green, blue, colour by colour. */
  readonly rgb: Uint8Array;
  readonly size: number;
  /** Number of the colour nearest to an RGB triple. */
  nearest(red: number, green: number, blue: number): number;
}

export function loadPalette(folder: string): Palette {
  const colours: number[][] = JSON.parse(readFileSync(path.join(folder, "palette.json"), "utf8"));
  return makePalette(colours);
}

export function makePalette(colours: readonly (readonly number[])[]): Palette {
  const rgb = Uint8Array.from(colours.flat());
  const known = new Map<number, number>();
  const search = (red: number, green: number, blue: number) => {
    let best = 0;
    let smallest = Number.POSITIVE_INFINITY;
    for (let colour = 0; colour < colours.length; colour++) {
      const distance = squaredDistance(rgb, colour, red, green, blue);
      if (distance < smallest) [best, smallest] = [colour, distance];
    }
    return best;
  };
  colours.forEach(([red = 0, green = 0, blue = 0], colour) => known.set((red << 16) | (green << 8) | blue, colour));
  return {
    rgb,
    size: colours.length,
    nearest(red, green, blue) {
      const key = (red << 16) | (green << 8) | blue;
      // Only the palette's own colours are remembered: a photograph would fill the map without end.
      return known.get(key) ?? search(red, green, blue);
    },
  };
}

function squaredDistance(rgb: Uint8Array, colour: number, red: number, green: number, blue: number): number {
  const r = (rgb[colour * 3] ?? 0) - red;
  const g = (rgb[colour * 3 + 1] ?? 0) - green;
  const b = (rgb[colour * 3 + 2] ?? 0) - blue;
  return r * r + g * g + b * b;
}

/** Pictures from the decoder's RGB bytes. */
export function toPixelPictures(rgb: Uint8Array, grid: Grid, palette: Palette): PixelPicture[] {
  const area = grid.width * grid.height;
  return Array.from({ length: rgb.length / (area * 3) }, (_, place) => {
    const pixels = new Uint8Array(area);
    for (let pixel = 0; pixel < area; pixel++) {
      const at = (place * area + pixel) * 3;
      pixels[pixel] = palette.nearest(rgb[at] ?? 0, rgb[at + 1] ?? 0, rgb[at + 2] ?? 0);
    }
    return { ...grid, pixels };
  });
}
