// Latent pictures: 32 channels for each cell of 8 × 8 pixels, planar (channel, row, column), several pictures in a row.

export const CHANNELS = 32;
/** Pixels along the side of one latent cell. */
export const CELL = 8;

/** Size of a picture in the model's own pixels; both are multiples of 8. */
export interface Grid {
  readonly width: number;
  readonly height: number;
}

/** Numbers in the latent of one picture. */
export function latentLength(grid: Grid): number {
  return CHANNELS * (grid.width / CELL) * (grid.height / CELL);
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

/** (1 − share) × a + share × b. */
export function blended(a: Float32Array, b: Float32Array, share: number): Float32Array {
  return a.map((value, index) => (1 - share) * value + share * (b[index] ?? 0));
}

/** View of the latent number `row` in an array of several. */
export function latentAt(latents: Float32Array, row: number, length: number): Float32Array {
  return latents.subarray(row * length, (row + 1) * length);
}
