// The words of the page around recipe, stage and queue.

const en = {
  title: "Studio",
  tryAgain: "Try again",
  reference: "Reference",
  modelsFailed: "The models did not load",
};

export type StudioStrings = typeof en;

/** The strings of the language in force. */
export const strings: StudioStrings = en;
