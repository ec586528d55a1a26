// Every word of the stage that the catalog and the server do not say themselves.

const en = {
  picture: "Picture",
  tasksFailed: "The list of tasks did not load",
  sketchMade: "Made by Sketch: a miniature with a small vocabulary.",
  sketchUnknown: "It did not know: ",
  sketchKnewAll: "It knew every word of this prompt.",
  completedPrompt: "It drew: ",
  emptyTitle: "Nothing on the easel yet",
  emptyText: "Write what you want to see and press Generate. A first picture takes a few seconds.",
  examples: ["a red lighthouse by the sea at sunset", "an orange cat in a forest", "a rocket above the moon"],
  waitingShort: "waits",
  left: (text: string) => `${text} left`,
  percent: (value: number) => `${value} %`,
  attempt: (attempt: number) => `Try ${attempt}: the one before was lost.`,
  cancel: "Cancel",
  cancelling: "Cancelling …",
  previewOf: (prompt: string) => `Preview of: ${prompt}`,
  resultOf: (prompt: string) => `Result: ${prompt}`,
  seedOf: "seed",
  copySeed: "Copy seed",
  seedCopied: "Seed copied",
  madeIn: "made in",
  download: "Download",
  resultGone: "The file is gone",
  resultGoneAction: "The recipe is kept. The same seed gives the same picture again.",
  latest: "Latest pictures",
  show: (prompt: string) => `Show: ${prompt}`,
  loading: "Loading",
  play: "Play",
  pause: "Pause",
  loop: "Loop",
  position: "Position",
  positionText: (at: number, of: number) => `${number(at)} of ${number(of)} seconds`,
  clock: (at: number, of: number) => `${at.toFixed(1)} / ${of.toFixed(1)} s`,
  fullScreen: "Full screen",
  warnings: "Notes",
};

export type StageStrings = typeof en;

/** The strings of the language in force. */
export const strings: StageStrings = en;

function number(value: number): string {
  return new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(value);
}
