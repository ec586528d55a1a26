import { formatNumber } from "./language.ts";
import { strings } from "./strings.ts";

/** "62 %", with the space the design asks for in both languages. `value` runs from 0 to 100. */
export function percentWords(value: number): string {
  return `${formatNumber(value, { maximumFractionDigits: 0 })} %`;
}

/** "1.4 MB": thousands, as file managers and drives count. */
export function bytesWords(bytes: number): string {
  const power = Math.min(strings.bytes.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  const digits = power === 0 || value >= 100 ? 0 : 1;
  return `${formatNumber(value, { maximumFractionDigits: digits })} ${strings.bytes[power] ?? ""}`;
}
