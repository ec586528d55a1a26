// Seeded noise, the same on every machine: a 32-bit mulberry generator and the Box-Muller transform. A seed means the
// same picture only as long as these sequences stay as they are; noise.test.ts holds golden numbers.

/** Numbers in the open interval (0, 1), drawn one by one. */
export type Random = () => number;

/** A generator for the seed (any integer; its low 32 bits count). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    // Half a step up keeps zero out, so that its logarithm below is finite.
    return (((bits ^ (bits >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** `length` samples of a normal distribution with mean 0 and variance 1. */
export function gaussianNoise(seed: number, length: number): Float32Array {
  const random = seededRandom(seed);
  const noise = new Float32Array(length);
  for (let index = 0; index < length; index++) {
    const radius = Math.sqrt(-2 * Math.log(random()));
    noise[index] = radius * Math.cos(2 * Math.PI * random());
  }
  return noise;
}
