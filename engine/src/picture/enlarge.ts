import type { Layout } from "./frame.ts";
import type { Palette, PixelPicture } from "./palette.ts";

/** RGB bytes of the picture laid out at output size. */
export function enlargeToRgb(picture: PixelPicture, layout: Layout, palette: Palette): Uint8Array {
  const stride = layout.width * 3;
  const rgb = new Uint8Array(stride * layout.height);
  let y = 0;
  for (const row of layout.rows) {
    let at = y * stride;
    for (const column of layout.columns) {
      const colour = (picture.pixels[row.source * picture.width + column.source] ?? 0) * 3;
      for (let pixel = 0; pixel < column.length; pixel++) {
        rgb[at++] = palette.rgb[colour] ?? 0;
        rgb[at++] = palette.rgb[colour + 1] ?? 0;
        rgb[at++] = palette.rgb[colour + 2] ?? 0;
      }
    }
    for (let copy = 1; copy < row.length; copy++) rgb.copyWithin((y + copy) * stride, y * stride, (y + 1) * stride);
    y += row.length;
  }
  return rgb;
}
