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
/** With fewer colours the format puts several pixels into one, with more the prefixes would have codes of 9 bits. */
const FEWEST_COLOURS = 17;
const MOST_COLOURS = 232;
/** Order in which the format lists the lengths of the codes for code lengths; 18 is a run of zeros. */
const LENGTH_ORDER = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const ZEROS = 18;
const FEWEST_ZEROS = 11;
const MOST_ZEROS = 138;
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
  const code = indexCode(palette.size);
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
  writeIndexCode(bits, code);
  writeOneSymbolCode(bits, 0); // red
  writeOneSymbolCode(bits, 0); // blue
  writeOneSymbolCode(bits, 255); // alpha
  writeTwoSymbolCode(bits, ABOVE, LEFT);
  writePixels(bits, code, picture, layout);
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

function writePixels(bits: BitWriter, code: IndexCode, picture: PixelPicture, layout: Layout): void {
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
        writeCopy(bits, code, length, ABOVE);
      } else {
        writeIndex(bits, code, index);
        writeCopy(bits, code, length - 1, LEFT);
      }
      column = end;
    }
    writeCopy(bits, code, (row.length - 1) * layout.width, ABOVE);
    above = from;
  }
}

function writeCopy(bits: BitWriter, code: IndexCode, length: number, distance: typeof ABOVE | typeof LEFT): void {
  for (let rest = length; rest > 0; rest -= LONGEST_COPY) {
    const value = Math.min(rest, LONGEST_COPY) - 1;
    if (value < 4) {
      writeIndex(bits, code, LENGTH_PREFIXES + value);
    } else {
      const highest = 31 - Math.clz32(value);
      const extra = highest - 1;
      writeIndex(bits, code, LENGTH_PREFIXES + 2 * highest + ((value >> extra) & 1));
      bits.write(value & ((1 << extra) - 1), extra);
    }
    bits.write(distance, 1);
  }
}

/**
 * The code of palette numbers and copy lengths. Two lengths that differ by one fill the code space; the shorter is for the
 * last symbols, among them all copy lengths, which every run of pixels needs.
 */
interface IndexCode {
  readonly colours: number;
  /** Bits of the longer codes. */
  readonly bits: number;
  /** Symbols with the longer codes, in their order before those with the shorter ones. */
  readonly long: number;
}

function indexCode(colours: number): IndexCode {
  if (colours < FEWEST_COLOURS || colours > MOST_COLOURS) throw new Error(`no WebP code for ${colours} colours`);
  const symbols = colours + ALPHABET - LENGTH_PREFIXES;
  const bits = Math.ceil(Math.log2(symbols));
  return { colours, bits, long: 2 * symbols - 2 ** bits };
}

function writeIndex(bits: BitWriter, code: IndexCode, symbol: number): void {
  const rank = symbol < LENGTH_PREFIXES ? symbol : code.colours + symbol - LENGTH_PREFIXES;
  // Shorter codes come first in the code space.
  const short = code.colours + ALPHABET - LENGTH_PREFIXES - code.long;
  if (rank >= code.long) bits.write(reversed(rank - code.long, code.bits - 1), code.bits - 1);
  else bits.write(reversed(2 * short + rank, code.bits), code.bits);
}

/** The code of writeIndex, as the format describes codes: a code for the lengths of the codes, then the lengths. */
function writeIndexCode(bits: BitWriter, { colours, bits: longer, long }: IndexCode): void {
  bits.write(0, 1);
  const listed = LENGTH_ORDER.indexOf(longer) + 1;
  bits.write(listed - 4, 4);
  // The longer one takes one bit, the shorter one and runs of zeros two.
  const lengths = new Map([
    [longer, 1],
    [longer - 1, 2],
    [ZEROS, 2],
  ]);
  for (const length of LENGTH_ORDER.slice(0, listed)) bits.write(lengths.get(length) ?? 0, 3);
  bits.write(0, 1); // lengths of the whole alphabet follow
  const length = (rank: number) => (rank < long ? bits.write(0, 1) : bits.write(reversed(0b10, 2), 2));
  for (let rank = 0; rank < colours; rank++) length(rank);
  for (let rest = LENGTH_PREFIXES - colours; rest > 0; ) {
    const run = rest > MOST_ZEROS ? Math.min(MOST_ZEROS, rest - FEWEST_ZEROS) : rest;
    bits.write(reversed(0b11, 2), 2);
    bits.write(run - FEWEST_ZEROS, 7);
    rest -= run;
  }
  for (let prefix = 0; prefix < ALPHABET - LENGTH_PREFIXES; prefix++) length(colours + prefix);
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
