/** Whether what an engine made is enlarged pixel by pixel: the miniature's blocks are meant to have edges. */
export function isPixelated(engine: string | null): boolean {
  return engine === "sketch";
}
