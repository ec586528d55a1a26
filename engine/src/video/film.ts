/** A film to encode: few different pictures, each shown in many frames. */
export interface Film {
  /** Pixels, both even. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** For each frame the number of the picture it shows. */
  readonly order: readonly number[];
  /** Planar I420, BT.709 limited range, of a picture number. */
  readonly picture: (number: number) => Uint8Array;
}

/** Called with the number of frames handed to the encoder so far. */
export type OnFrame = (done: number) => void;
