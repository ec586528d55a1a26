import { type Frame, type Layout, layoutOf } from "../picture/frame.ts";
import { encodeAnimatedWebp, encodeWebp } from "../picture/lossless-webp.ts";
import { type Palette, type PixelPicture, toPixelPictures } from "../picture/palette.ts";
import type { Graphs } from "../sampler/graphs.ts";
import type { Emit } from "./progress.ts";

/** Longest side of a preview in pixels, as near as whole blocks allow. */
const PREVIEW_SIDE = 320;

/** Pictures on the way: what the run is heading for, decoded and packed after every step. */
export class Previews {
  readonly #graphs: Graphs;
  readonly #palette: Palette;
  readonly #frame: Frame;
  readonly #layout: Layout;
  readonly #emit: Emit;
  #elapsed = 0;

  constructor(graphs: Graphs, palette: Palette, frame: Frame, emit: Emit) {
    this.#graphs = graphs;
    this.#palette = palette;
    this.#frame = frame;
    this.#emit = emit;
    const longest = Math.max(frame.width, frame.height) / frame.scale;
    this.#layout = layoutOf(frame, Math.max(1, Math.floor(PREVIEW_SIDE / longest)));
  }

  /** Milliseconds the decoder ran for previews alone. */
  get elapsed(): number {
    return this.#elapsed;
  }

  /** Pictures of latents that are on the way and so are shown only, not kept. */
  async glimpse(latents: Float32Array): Promise<PixelPicture[]> {
    const before = this.#graphs.elapsed();
    const rgb = await this.#graphs.decode(latents, this.#frame.grid);
    this.#elapsed += this.#graphs.elapsed() - before;
    return toPixelPictures(rgb, this.#frame.grid, this.#palette);
  }

  /** Shows a still. */
  still(picture: PixelPicture): void {
    this.#show(encodeWebp(picture, this.#layout, this.#palette));
  }

  /** Shows pictures as an endless animation that takes `seconds` for one round. */
  motion(pictures: readonly PixelPicture[], seconds: number): void {
    const milliseconds = Math.round((seconds * 1000) / pictures.length);
    const shown = pictures.map((picture) => ({ picture, milliseconds }));
    this.#show(encodeAnimatedWebp(shown, this.#layout, this.#palette));
  }

  #show(bytes: Uint8Array): void {
    this.#emit({ type: "preview", contentType: "image/webp", bytes });
  }
}
