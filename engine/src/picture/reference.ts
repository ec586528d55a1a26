// Reference pictures on their way to the model's pixels: enlarged pixel art goes back to its own grid, anything else is
// cropped to the shape and averaged.

import sharp from "sharp";
import { EngineError } from "../job/errors.ts";
import { type Frame, visibleGrid } from "./frame.ts";
import type { Palette } from "./palette.ts";
import { findPixelGrids, type PixelGrid, type RgbPicture, reduceToGrid } from "./pixel-grid.ts";

const LARGEST_AREA = 64 * 1024 * 1024;
/** Model pixels by which pixel art may be cropped or continued at its edges before it is rather averaged. */
const LARGEST_SHIFT = 24;
/** Subjects stand on this lattice, so pixel art is moved by whole cells only. */
const LATTICE = 8;
/** Mean distance to the model's palette below which colours are taken for the palette's own, worn by compression. */
const PALETTE_TOLERANCE = 12;
/** A picture this small needs no grid: its pixels are the model's. */
const SMALLEST_SIDE = 32;
const TINY_SIDE = 128;

/** A reference in the model's pixels. */
export interface FramedReference {
  readonly rgb: Uint8Array;
  /** Share of the reference's area that the shape cut off, 0 to 1. */
  readonly cropped: number;
}

/** Reads a png, jpeg or webp upright and without transparency. Throws EngineError invalid_reference. */
export async function readReference(path: string): Promise<RgbPicture> {
  try {
    const { data, info } = await sharp(path, { limitInputPixels: LARGEST_AREA, failOn: "error" })
      .rotate()
      .flatten({ background: "#808080" })
      .toColourspace("srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    return {
      width: info.width,
      height: info.height,
      rgb: info.channels === 3 ? data : toThreeChannels(data, info.channels),
    };
  } catch (error) {
    // The text of the library names files of this machine, so it goes to the cause only.
    throw new EngineError("invalid_reference", "A reference picture is missing or cannot be read.", { cause: error });
  }
}

/** The reference on the model's grid, lying under the visible part of the frame. */
export async function frameReference(picture: RgbPicture, frame: Frame, palette: Palette): Promise<FramedReference> {
  const source = pixelSource(picture, frame);
  if (source) {
    const { offset, cropped } = shift(source, frame);
    return { rgb: extend(settle(source, palette), frame, offset), cropped };
  }
  const visible = visibleGrid(frame);
  const { rgb, cropped } = await cover(picture, visible.width, visible.height, frame.width / frame.height);
  return { rgb: extend({ ...visible, rgb }, frame, { x: frame.left, y: frame.top }), cropped };
}

/** The reference at output size, for runs that change nothing. */
export async function coverOutput(picture: RgbPicture, width: number, height: number): Promise<FramedReference> {
  if (picture.width === width && picture.height === height) return { rgb: picture.rgb, cropped: 0 };
  return cover(picture, width, height, width / height);
}

/** The pixel art behind an enlarged picture, when its grid suits the frame. */
function pixelSource(picture: RgbPicture, frame: Frame): RgbPicture | null {
  const { grid } = frame;
  const visible = visibleGrid(frame);
  const suits = (width: number, height: number) =>
    Math.abs(width - grid.width) <= LARGEST_SHIFT && Math.abs(height - grid.height) <= LARGEST_SHIFT;
  if (
    Math.max(picture.width, picture.height) <= TINY_SIDE &&
    Math.min(picture.width, picture.height) >= SMALLEST_SIDE
  ) {
    return suits(picture.width, picture.height) ? picture : null;
  }
  const sizeOf = ({ size, left, top }: PixelGrid) => ({
    width: Math.ceil((picture.width - left) / size) + (left > 0 ? 1 : 0),
    height: Math.ceil((picture.height - top) / size) + (top > 0 ? 1 : 0),
  });
  const distance = (candidate: PixelGrid) => {
    const { width, height } = sizeOf(candidate);
    return Math.abs(width - visible.width) + Math.abs(height - visible.height);
  };
  const suited = findPixelGrids(picture).filter((candidate) => {
    const { width, height } = sizeOf(candidate);
    return suits(width, height);
  });
  const best = suited.sort((a, b) => distance(a) - distance(b))[0];
  return best ? reduceToGrid(picture, best) : null;
}

/** Where pixel art lies on the grid, in whole cells of the lattice, and what of it is lost. */
function shift(source: RgbPicture, frame: Frame): { offset: { x: number; y: number }; cropped: number } {
  const { grid } = frame;
  const visible = visibleGrid(frame);
  if (source.width === visible.width && source.height === visible.height) {
    return { offset: { x: frame.left, y: frame.top }, cropped: 0 };
  }
  const centred = (room: number) => Math.round(room / 2 / LATTICE) * LATTICE;
  const kept = (length: number, room: number) => Math.min(length, room) / length;
  return {
    offset: { x: centred(grid.width - source.width), y: centred(grid.height - source.height) },
    cropped: 1 - kept(source.width, grid.width) * kept(source.height, grid.height),
  };
}

/** Colours that are the palette's own but for compression become exactly them. */
function settle(source: RgbPicture, palette: Palette): RgbPicture {
  const settled = new Uint8Array(source.rgb.length);
  let distance = 0;
  for (let at = 0; at < source.rgb.length; at += 3) {
    const [red = 0, green = 0, blue = 0] = source.rgb.subarray(at, at + 3);
    const colour = palette.nearest(red, green, blue) * 3;
    settled.set(palette.rgb.subarray(colour, colour + 3), at);
    distance += Math.hypot(red - (settled[at] ?? 0), green - (settled[at + 1] ?? 0), blue - (settled[at + 2] ?? 0));
  }
  return distance / (source.rgb.length / 3) <= PALETTE_TOLERANCE ? { ...source, rgb: settled } : source;
}

/** The source laid on the grid at an offset; its edge pixels continue where it does not reach. */
function extend(source: RgbPicture, { grid }: Frame, offset: { x: number; y: number }): Uint8Array {
  const rgb = new Uint8Array(grid.width * grid.height * 3);
  const within = (value: number, length: number) => Math.min(length - 1, Math.max(0, value));
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++) {
      const column = within(x - offset.x, source.width);
      const from = (within(y - offset.y, source.height) * source.width + column) * 3;
      rgb.set(source.rgb.subarray(from, from + 3), (y * grid.width + x) * 3);
    }
  }
  return rgb;
}

/** Crops from the middle to the aspect and scales to the size. */
async function cover(picture: RgbPicture, width: number, height: number, aspect: number): Promise<FramedReference> {
  const cropWidth = Math.max(1, Math.min(picture.width, Math.round(picture.height * aspect)));
  const cropHeight = Math.max(1, Math.min(picture.height, Math.round(picture.width / aspect)));
  const rgb = await sharp(picture.rgb, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .extract({
      left: Math.floor((picture.width - cropWidth) / 2),
      top: Math.floor((picture.height - cropHeight) / 2),
      width: cropWidth,
      height: cropHeight,
    })
    .resize(width, height, { fit: "fill", kernel: "mitchell" })
    .raw()
    .toBuffer();
  return { rgb, cropped: 1 - (cropWidth * cropHeight) / (picture.width * picture.height) };
}

function toThreeChannels(data: Uint8Array, channels: number): Uint8Array {
  const rgb = new Uint8Array((data.length / channels) * 3);
  for (let pixel = 0; pixel < data.length / channels; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgb[pixel * 3 + channel] = data[pixel * channels + (channels >= 3 ? channel : 0)] ?? 0;
    }
  }
  return rgb;
}
