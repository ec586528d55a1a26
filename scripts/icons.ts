// Draws the icons of the installable page from web/src/app/icon.svg. Run by hand after the drawing has changed; the
// pictures are committed, as they are small and a build should not need a renderer.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const sharp = createRequire(join(root, "server", "package.json"))("sharp");
const drawing = readFileSync(join(root, "web/src/app/icon.svg"), "utf8");
/** Without the ground of its own, which has rounded corners: launchers round in their own way. */
const shapes = drawing.replace(/^<svg[^>]*>\s*<rect[^>]*>/, "").replace(/<\/svg>\s*$/, "");
const [, , width = "32"] = /viewBox="0 0 ((\d+) \d+)"/.exec(drawing) ?? [];
const side = Number(width);
const ground = /<rect[^>]*fill="(#\w+)"/.exec(drawing)?.[1] ?? "none";

const folder = join(root, "web/public/icons");
mkdirSync(folder, { recursive: true });
await draw("icon-192.png", 192, 1, 0.18);
await draw("icon-512.png", 512, 1, 0.18);
// A launcher cuts a maskable icon to a shape of its own and keeps the inner four fifths.
await draw("maskable-512.png", 512, 0.72, 0);
await draw("touch-180.png", 180, 0.84, 0);

async function draw(name: string, size: number, scale: number, rounding: number): Promise<void> {
  const offset = (side * (1 - scale)) / 2;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" width="${size}" height="${size}">
    <rect width="${side}" height="${side}" rx="${side * rounding}" fill="${ground}"/>
    <g transform="translate(${offset} ${offset}) scale(${scale})">${shapes}</g></svg>`;
  await sharp(Buffer.from(svg)).png({ compressionLevel: 9, palette: true }).toFile(join(folder, name));
}
