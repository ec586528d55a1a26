/** The addresses of the page's own pages. The router of the page knows the same ones (web/src/app/router.tsx). */
export const pageAddresses: readonly string[] = ["/", "/gallery", "/history", "/admin", "/admin/dashboard"];

/**
 * Whether a request is a navigation: HTML is named and wanted more than JSON. A program that takes anything is none, so
 * that an address with both a page and an answer for programs gives curl the answer.
 */
export function prefersPage(accept: string | undefined): boolean {
  // Almost every request that is no navigation ends here.
  if (accept === undefined || !/text\/html/i.test(accept)) return false;
  const ranges = parseAccept(accept);
  return quality(ranges, "text/html") > jsonQuality(ranges);
}

/** Whether a page may be given at all, where there is nothing else to give: unless JSON is wanted more, or HTML refused. */
export function acceptsPage(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === "") return true;
  const ranges = parseAccept(accept);
  const page = quality(ranges, "text/html");
  return page > 0 && page >= jsonQuality(ranges);
}

interface AcceptRange {
  /** "text/html", "text/*" or "*\/*", in lower case. */
  readonly type: string;
  /** 0 (never) to 1 (best). */
  readonly quality: number;
}

function parseAccept(accept: string): AcceptRange[] {
  return accept.split(",").flatMap((part) => {
    const [type = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    const value = weight === undefined ? 1 : Number(weight);
    // A weight nobody can read is a range nobody can weigh.
    return type === "" || !(value >= 0 && value <= 1) ? [] : [{ type, quality: value }];
  });
}

function jsonQuality(ranges: readonly AcceptRange[]): number {
  return Math.max(quality(ranges, "application/json"), quality(ranges, "application/problem+json"));
}

/** The weight of a media type: the most exact range that covers it decides (RFC 9110, 12.5.1). */
function quality(ranges: readonly AcceptRange[], type: string): number {
  for (const range of [type, `${type.split("/")[0]}/*`, "*/*"]) {
    const found = ranges.find((candidate) => candidate.type === range);
    if (found !== undefined) return found.quality;
  }
  return 0;
}
