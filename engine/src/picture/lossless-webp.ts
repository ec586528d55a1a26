// Lossless WebP of enlarged pixel pictures, still and animated. A general encoder spends tens of milliseconds finding out
// what is known here beforehand: the colours are a fixed palette and the pixels are blocks. Writing the bits directly
// takes a fraction of a millisecond, which keeps previews at every step from slowing the model down, and gives files a
// third of the size. Format: the WebP lossless bitstream specification (VP8L) and the WebP container specification.

import { chunk, riff, uint24, uint32 } from "../container/riff.ts";
import { BitWriter } from "./bit-writer.ts";
import type { Layout } from "./frame.ts";
import type { Palette, PixelPicture } from "./palette.ts";

/** Symbols of the green channel's alphabet: 256 values, then the prefixes of copy lengths. */
const LENGTH_PREFIXES = 256;
const ALPHABET = LENGTH_PREFIXES + 24;
const LONGEST_COPY = 4096;
/** The model's palette. With the 24 prefixes it makes 120 symbols: 8 codes of 6 bits and 112 of 7 fill the code space. */
const PALETTE_SIZE = 96;
const SHORT_CODES = 8;
/** Distance codes of the format: 0 is the pixel above, 1 the pixel to the left. */
const ABOVE = 0;
const LEFT = 1;

const COLOUR_INDEXING = 3;
const ANIMATION_FLAG = 0x02;
const NO_BLENDING = 0x02;

/** A still. */
export function encodeWebp(picture: PixelPicture, layout: Layout, palette: Palette): Uint8Array {
  return riff([chunk("VP8L", bitstream(picture, layout, palette))]);
}

/** An endless animation; each picture is shown for its number of milliseconds. */
export function encodeAnimatedWebp(
  pictures: readonly { readonly picture: PixelPicture; readonly milliseconds: number }[],
  layout: Layout,
  palette: Palette,
): Uint8Array {
  const size = [...uint24(layout.width - 1), ...uint24(layout.height - 1)];
  const header = chunk("VP8X", Uint8Array.from([ANIMATION_FLAG, 0, 0, 0, ...size]));
  const animation = chunk("ANIM", Uint8Array.from([...uint32(0), 0, 0]));
  const frames = pictures.map(({ picture, milliseconds }) => {
    const place = [...uint24(0), ...uint24(0), ...size, ...uint24(milliseconds), NO_BLENDING];
    return chunk("ANMF", Uint8Array.from(place), chunk("VP8L", bitstream(picture, layout, palette)));
  });
  return riff([header, animation, ...frames]);
}

function bitstream(picture: PixelPicture, layout: Layout, palette: Palette): Uint8Array {
  if (palette.size !== PALETTE_SIZE) throw new Error(`the WebP code is laid out for ${PALETTE_SIZE} colours`);
  const bits = new BitWriter();
  bits.write(0x2f, 8);
  bits.write(layout.width - 1, 14);
  bits.write(layout.height - 1, 14);
  bits.write(0, 1 + 3); // no transparency, version 0
  bits.write(1, 1);
  bits.write(COLOUR_INDEXING, 2);
  writePalette(bits, palette);
  bits.write(0, 1); // no further transform
  bits.write(0, 1 + 1); // no colour cache, one set of codes for the whole picture
  writeIndexCode(bits);
  writeOneSymbolCode(bits, 0); // red
  writeOneSymbolCode(bits, 0); // blue
  writeOneSymbolCode(bits, 255); // alpha
  writeTwoSymbolCode(bits, ABOVE, LEFT);
  writePixels(bits, picture, layout);
  return bits.finish();
}

/** Each colour is stored as its difference from the one before. */
function writePalette(bits: BitWriter, palette: Palette): void {
  bits.write(palette.size - 1, 8);
  bits.write(0, 1); // no colour cache
  writeEightBitCode(bits, ALPHABET);
  writeEightBitCode(bits, 256);
  writeEightBitCode(bits, 256);
  writeTwoSymbolCode(bits, 0, 255);
  writeOneSymbolCode(bits, 0);
  let [red, green, blue] = [0, 0, 0];
  for (let colour = 0; colour < palette.size; colour++) {
    const [r = 0, g = 0, b = 0] = palette.rgb.subarray(colour * 3, colour * 3 + 3);
    for (const difference of [g - green, r - red, b - blue]) bits.write(reversed(difference & 0xff, 8), 8);
    bits.write(colour === 0 ? 1 : 0, 1); // alpha: 255, then always a difference of 0
    [red, green, blue] = [r, g, b];
  }
}

function writePixels(bits: BitWriter, picture: PixelPicture, layout: Layout): void {
  let above = -1;
  for (const row of layout.rows) {
    const from = row.source * picture.width;
    for (let column = 0; column < layout.columns.length; ) {
      const run = layout.columns[column];
      if (!run) break;
      const index = picture.pixels[from + run.source] ?? 0;
      let end = column;
      let length = 0;
      // As long as the row above shows the same, it is copied; otherwise as long as the colour stays.
      const same = (source: number) =>
        above >= 0 ? picture.pixels[above + source] === picture.pixels[from + source] : false;
      const copiesAbove = same(run.source);
      for (let next = layout.columns[end]; next !== undefined; next = layout.columns[end]) {
        const fits = copiesAbove ? same(next.source) : picture.pixels[from + next.source] === index;
        if (!fits) break;
        length += next.length;
        end++;
      }
      if (copiesAbove) {
        writeCopy(bits, length, ABOVE);
      } else {
        writeIndex(bits, index);
        writeCopy(bits, length - 1, LEFT);
      }
      column = end;
    }
    writeCopy(bits, (row.length - 1) * layout.width, ABOVE);
    above = from;
  }
}

function writeCopy(bits: BitWriter, length: number, distance: typeof ABOVE | typeof LEFT): void {
  for (let rest = length; rest > 0; rest -= LONGEST_COPY) {
    const value = Math.min(rest, LONGEST_COPY) - 1;
    if (value < 4) {
      writeIndex(bits, LENGTH_PREFIXES + value);
    } else {
      const highest = 31 - Math.clz32(value);
      const extra = highest - 1;
      writeIndex(bits, LENGTH_PREFIXES + 2 * highest + ((value >> extra) & 1));
      bits.write(value & ((1 << extra) - 1), extra);
    }
    bits.write(distance, 1);
  }
}

/** Lengths 0 to 3 are prefixes of their own. */
function writeIndex(bits: BitWriter, symbol: number): void {
  const rank = symbol < LENGTH_PREFIXES ? symbol : PALETTE_SIZE + symbol - LENGTH_PREFIXES;
  if (rank < SHORT_CODES) bits.write(reversed(rank, 6), 6);
  else bits.write(reversed(2 * SHORT_CODES + rank - SHORT_CODES, 7), 7);
}

/** The code of writeIndex, as the format describes codes: a code for the lengths of the codes, then the lengths. */
function writeIndexCode(bits: BitWriter): void {
  bits.write(0, 1);
  // Lengths 17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7 in this order: 7 takes one bit, 6 and 18 (a run of zeros) two.
  bits.write(11 - 4, 4);
  for (const length of [0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 1]) bits.write(length, 3);
  bits.write(0, 1); // lengths of the whole alphabet follow
  const seven = () => bits.write(0, 1);
  const six = () => bits.write(reversed(0b10, 2), 2);
  const zeros = (count: number) => {
    bits.write(reversed(0b11, 2), 2);
    bits.write(count - 11, 7);
  };
  for (let rank = 0; rank < SHORT_CODES; rank++) six();
  for (let rank = SHORT_CODES; rank < PALETTE_SIZE; rank++) seven();
  zeros(138);
  zeros(LENGTH_PREFIXES - PALETTE_SIZE - 138);
  for (let symbol = LENGTH_PREFIXES; symbol < ALPHABET; symbol++) seven();
}

/** A code in which each of 256 values is itself in 8 bits. */
function writeEightBitCode(bits: BitWriter, alphabet: number): void {
  bits.write(0, 1);
  // Up to length 8 in the order above: 8 and 18 take one bit each.
  bits.write(12 - 4, 4);
  for (const length of [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) bits.write(length, 3);
  bits.write(0, 1);
  for (let symbol = 0; symbol < 256; symbol++) bits.write(0, 1);
  if (alphabet > 256) {
    bits.write(1, 1);
    bits.write(alphabet - 256 - 11, 7);
  }
}

/** A code whose only symbol takes no bits. */
function writeOneSymbolCode(bits: BitWriter, symbol: number): void {
  bits.write(1, 1);
  bits.write(0, 1);
  bits.write(1, 1);
  bits.write(symbol, 8);
}

function writeTwoSymbolCode(bits: BitWriter, first: number, second: number): void {
  bits.write(1, 1);
  bits.write(1, 1);
  bits.write(1, 1);
  bits.write(first, 8);
  bits.write(second, 8);
}

function reversed(value: number, count: number): number {
  let result = 0;
  for (let bit = 0; bit < count; bit++) result |= ((value >> bit) & 1) << (count - 1 - bit);
  return result;
}
