/** Amounts of storage as people write them: `500MB`, `1.5 GiB`, or plain bytes. */
const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Whole bytes, or null when the text is no amount. A fraction needs a unit. */
export function parseByteSize(text: string): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,3})?) ?([kmgt]?i?b|)$/i.exec(text);
  if (match === null) return null;
  const [, number = "", unit = ""] = match;
  const factor = units[unit.toLowerCase()];
  if (factor === undefined || (factor === 1 && number.includes("."))) return null;
  const bytes = Math.round(Number(number) * factor);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** In powers of ten, as disks are sold: `1.5 GB`. */
export function sayBytes(bytes: number): string {
  const [unit, factor] = (
    [
      ["TB", 1e12],
      ["GB", 1e9],
      ["MB", 1e6],
      ["kB", 1e3],
    ] as const
  ).find(([, size]) => Math.abs(bytes) >= size) ?? ["bytes", 1];
  const number = bytes / factor;
  return `${factor === 1 || Math.abs(number) >= 100 ? Math.round(number) : Number(number.toFixed(1))} ${unit}`;
}
